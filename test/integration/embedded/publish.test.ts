/** What is acked is in the store, byte for byte, whatever memory it was given in and whatever becomes of that memory afterwards. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Outcome, Rig } from './store-rig.ts';
import { hashOf, openRig, read, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: publishing');
let folder = '';
let rig: Rig;
Suite.before.each(async () => {
  folder = temporaryFolder();
  rig = await openRig(folder);
});
Suite.after.each(async () => {
  await rig.broker.close();
  remove(folder);
});

interface SharedWebAssembly {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number; readonly shared: boolean }) => {
    readonly buffer: SharedArrayBuffer;
  };
}
const { Memory } = (globalThis as unknown as { readonly WebAssembly: SharedWebAssembly }).WebAssembly;

const memories = [
  { name: 'private memory', make: (bytes: number) => new Uint8Array(bytes) },
  { name: 'a slice of a pooled Buffer', make: (bytes: number) => Buffer.allocUnsafe(bytes) },
  { name: 'a SharedArrayBuffer', make: (bytes: number) => new Uint8Array(new SharedArrayBuffer(bytes)) },
  {
    name: 'a shared WebAssembly.Memory',
    make: (bytes: number) => new Uint8Array(new Memory({ initial: 20, maximum: 20, shared: true }).buffer, 0, bytes),
  },
];

for (const { name, make } of memories)
  Suite(`stores what ${name} held, though it is overwritten directly after the ack`, async () => {
    const memory = make(1_048_576);
    const hashes = new Map<number, string>();
    // Each round fills the whole memory, publishes 32 parts of it at once, and fills it again when they are acked.
    for (let round = 0; round < 8; round++) {
      for (let at = 0; at < memory.length; at++) memory[at] = (at * 31 + (at >>> 8) + round * 77) & 255;
      const outcomes: Promise<Outcome>[] = [];
      const parts: string[] = [];
      for (let part = 0; part < 32; part++) {
        const start = part * 32_768 + part;
        const end = start + (part % 3 === 0 ? 214 : 30_000);
        parts.push(hashOf(Uint8Array.from(memory.subarray(start, end))));
        outcomes.push(rig.publish({ memory, start, payloadStart: start, end }));
      }
      for (const [index, outcome] of (await Promise.all(outcomes)).entries())
        hashes.set((outcome as { sequence: number }).sequence, parts[index]!);
    }
    memory.fill(0);
    const { reader, got } = await read(rig.broker);
    await waitFor('all messages', () => got.length === 256);
    await reader.close();
    assert.equal(hashes.size, 256);
    for (const { sequence, hash } of got) assert.is(hash, hashes.get(sequence), `message ${sequence}`);
  });

Suite('acks in publish order, with sequences from 1 without a gap', async () => {
  const outcomes = await Promise.all(Array.from({ length: 5_000 }, (_, index) => rig.publish({ memory: Buffer.from(String(index)) })));
  assert.equal(
    outcomes,
    outcomes.map((_, index) => ({ sequence: index + 1 })),
  );
});

const HEADERS = 'NATS/1.0\r\nContent-Type: application/msgpack\r\nMillrace-Count: 3\r\n\r\n';
const shapes = [
  { name: 'headers and payload', subject: 'orders.created', headers: HEADERS, payload: Buffer.from('abc') },
  { name: 'an empty payload', subject: 'orders.empty', headers: '', payload: Buffer.alloc(0) },
  { name: 'headers with an empty payload', subject: 'orders.headers', headers: HEADERS, payload: Buffer.alloc(0) },
  { name: 'a unicode subject', subject: 'bestellungen.größe.日本', headers: '', payload: Buffer.from([0, 255, 0]) },
  { name: 'a payload larger than a group', subject: 'big', headers: HEADERS, payload: Buffer.alloc(5_000_000, 7) },
  { name: 'a payload larger than the whole credit', subject: 'bigger', headers: '', payload: Buffer.alloc(12_000_000, 9) },
];
for (const { name, subject, headers, payload } of shapes)
  Suite(`keeps ${name}`, async () => {
    const memory = Buffer.concat([Buffer.from(headers), payload]);
    const outcome = await rig.publish({ subject, memory, payloadStart: headers.length });
    assert.equal(outcome, { sequence: 1 });
    const { reader, got } = await read(rig.broker);
    await waitFor('the message', () => got.length === 1);
    await reader.close();
    assert.is(got[0]!.subject, subject);
    assert.is(got[0]!.hash, hashOf(payload));
    assert.equal(got[0]!.headers, headers === '' ? {} : { 'Content-Type': 'application/msgpack', 'Millrace-Count': '3' });
  });

Suite('refuses a message over the limit and takes its neighbours', async () => {
  const limit = rig.broker.limits().messageBytesMax;
  const memory = Buffer.alloc(limit + 1);
  const [before, over, after] = await Promise.all([rig.say('a', '1'), rig.publish({ memory }), rig.say('a', '2')]);
  assert.equal([before, after], [1, 2]);
  assert.is('error' in over && over.error.code, 'MILLRACE_EVENT_TOO_LARGE');
});

Suite('says false without credit and calls writable when there is some', async () => {
  await rig.broker.close();
  rig = await openRig(folder, { maxInFlightMessages: 3 });
  const sequences = await Promise.all(Array.from({ length: 50 }, (_, index) => rig.say('s', String(index))));
  assert.equal(
    sequences,
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
});

Suite('gives everything in flight its true outcome when it is closed, twice over, and says false afterwards', async () => {
  const outcomes = Array.from({ length: 200 }, (_, index) => rig.say('s', String(index)));
  await Promise.all([rig.broker.close(), rig.broker.close()]);
  assert.is((await Promise.all(outcomes)).length, 200);
  assert.is(rig.broker.tryPublish({ subject: 's', memory: Buffer.from('x'), start: 0, payloadStart: 0, end: 1, count: 1 }, 1e9), false);
  await rig.broker.close();
});

Suite.run();
