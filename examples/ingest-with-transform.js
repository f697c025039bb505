// Ingests objects through a transform in worker threads, and reads the result back. Run: node examples/ingest-with-transform.js
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'millrace';

const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'));
const events = await connect(`embedded:${folder}`, { workers: 1 });
try {
  const orders = [
    {
      id: 'o-1',
      items: [
        { sku: 'pear', count: 2 },
        { sku: 'fig', count: 1 },
      ],
    },
    { id: 'h-1', type: 'heartbeat' },
    { id: 'o-2', type: 'cancelled' },
  ];
  const report = await events.ingest(orders, {
    subject: 'orders',
    transform: { module: new URL('./transform.js', import.meta.url) },
    onProgress: () => undefined,
  });
  console.log(`accepted ${report.accepted}, acked ${report.acked}, dropped ${report.dropped}`);
  let left = report.acked;
  for await (const { event } of await events.subscribe('orders', { start: 'all' })) {
    console.log(JSON.stringify(event));
    if (--left === 0) break;
  }
} finally {
  await events.drain();
  rmSync(folder, { recursive: true });
}
