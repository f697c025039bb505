/** Child process of the tests, under a file-size limit: publishes until the store is full, and says what it was told and whether it still works. */
import { writeSync } from 'node:fs';
import { openRig, read } from './store-rig.ts';

const [, , path] = process.argv;
const { broker, publish } = await openRig(path!);
const payload = Buffer.alloc(50_000, 5);
let acked = 0;
for (;;) {
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => publish({ memory: payload })));
  const failed = outcomes.find((outcome) => 'error' in outcome);
  acked += outcomes.filter((outcome) => 'sequence' in outcome).length;
  if (failed === undefined) continue;
  const { error } = failed as {
    readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean; readonly outcome: string };
  };
  const { reasons } = await broker.health();
  const last = await broker.lastSequence('>');
  const { reader, got } = await read(broker, { noAck: true }, () => undefined);
  while (got.length < last) await new Promise((resolve) => setImmediate(resolve));
  await reader.close();
  const { code, message, retryable, outcome } = error;
  writeSync(1, JSON.stringify({ code, message, retryable, outcome, reasons, acked, last }));
  break;
}
await broker.close();
