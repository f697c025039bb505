/** Single publishes beside an ingest that never runs dry: each settles while it runs. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { targetNames, Targets } from '../ingest/targets.ts';

const Beside = timedSuite('publish beside an ingest', { timeoutMs: 60_000 });
const targets = new Targets();
Beside.after(() => targets.end());

const CHUNK = Buffer.from('{"text":"a record of an ingest that has no end"}\n'.repeat(5_000));

for (const target of targetNames)
  for (const workers of [0, 1])
    Beside(`500 publishes settle, ten at a time, and then the ingest ends (${target}, ${workers} workers)`, async () => {
      await using processor = await targets.open(target, `beside-${workers}`, { workers });
      let settled = 0;
      let chunks = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (; settled < 500; chunks += 1) {
          yield CHUNK;
          await new Promise<void>((resolve) => setImmediate(resolve));
        }
      }
      const ingest = processor.ingest(endless(), { format: 'ndjson', subject: `beside-${target}-${workers}.ingest` });
      while (settled < 500) {
        const receipts = Array.from({ length: 10 }, (_, n) => processor.publish(`beside-${target}-${workers}.one`, { n }));
        settled += (await Promise.all(receipts)).length;
      }
      const report = await ingest;
      assert.is(report.accepted, chunks * 5_000);
      assert.is(report.acked, report.accepted);
      assert.is(processor.stats().acked, report.acked + 500);
    });

Beside.run();
