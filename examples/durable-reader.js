// A durable subscription: the position survives, so a second run goes on where the first one ended. Run: node examples/durable-reader.js
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'millrace';

const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'));

/** Reads `count` events under the name `billing`, as one run of a program would. */
async function read(count) {
  const events = await connect(`embedded:${folder}`);
  let left = count;
  let done;
  const finished = new Promise((resolve) => (done = resolve));
  const subscription = await events.subscribe(
    'orders.>',
    (event) => {
      if (left > 0) console.log(`billed ${event.id}`); // Returning acks; throwing tries again, later as a dead letter.
      left -= 1;
      if (left === 0) done();
    },
    { durable: 'billing', maxInFlight: 1 },
  );
  await finished;
  await subscription.drain();
  await events.drain();
}

const events = await connect(`embedded:${folder}`);
await Promise.all(['o-1', 'o-2', 'o-3', 'o-4'].map((id) => events.publish('orders.created', { id }, { id })));
await events.drain();
await read(2);
await read(2);
rmSync(folder, { recursive: true });
