/** Child process of the tests: publishes `count` messages and prints `sequence hash` for each ack, unbuffered, so that a kill loses none. */
import { writeSync } from 'node:fs';
import { randomBytes, randomInt } from 'node:crypto';
import { hashOf, openRig } from './store-rig.ts';

const [, , path, name, count, bytesMax] = process.argv;
const { broker, publish } = await openRig(path!);
const memory = new Uint8Array(new SharedArrayBuffer(Number(bytesMax) * 64));
const IN_FLIGHT = 64;

async function lane(number: number): Promise<void> {
  const start = number * Number(bytesMax);
  for (let index = number; index < Number(count); index += IN_FLIGHT) {
    const content = Buffer.concat([Buffer.from(`${name}:${index}:`), randomBytes(randomInt(1, Number(bytesMax) - 32))]);
    memory.set(content, start);
    const outcome = await publish({ subject: `from.${name}`, memory, start, payloadStart: start, end: start + content.length });
    memory.fill(0, start, start + content.length);
    if ('error' in outcome) throw outcome.error;
    writeSync(1, `${outcome.sequence} ${hashOf(content)}\n`);
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, (_, number) => lane(number)));
await broker.close();
