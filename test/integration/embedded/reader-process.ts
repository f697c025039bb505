/** Child process of the tests: reads under a durable name, acks, and prints each sequence, until it is killed or told to end by a closed stdin. */
import { writeSync } from 'node:fs';
import { openRig, read } from './store-rig.ts';

const [, , path, durable, ackWaitMs] = process.argv;
const { broker } = await openRig(path!);
const { reader } = await read(broker, { durable: durable!, ackWaitMs: Number(ackWaitMs), maxInFlight: 16 }, (message, by) => {
  writeSync(1, `${message.sequence} ${message.redeliveries}\n`);
  setImmediate(() => by.ack(message.handle));
});
process.stdin.resume().on('end', () => {
  void reader.close().then(() => broker.close());
});
