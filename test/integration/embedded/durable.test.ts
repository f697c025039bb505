/** Named positions: they resume, they are shared without overlap by readers of one process, and they outlive their readers. */
import * as assert from 'uvu/assert';
import { storeInfo } from '../../../src/processors/embedded/info.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Reading, Rig } from './store-rig.ts';
import { openRig, read, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: durables and groups');
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

const sayAll = (count: number, from = 0): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => rig.say(`s.${(from + index) % 2}`, String(from + index))));
const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => String(from + index));

async function reopen(): Promise<void> {
  await rig.broker.close();
  rig = await openRig(folder);
}

Suite('resumes after its position in a new process of the same store', async () => {
  await sayAll(20);
  const first = await read(rig.broker, { durable: 'd' });
  await waitFor('twenty', () => first.got.length === 20);
  await first.reader.close();
  await reopen();
  await sayAll(5, 20);
  const second = await read(rig.broker, { durable: 'd' });
  await waitFor('five', () => second.got.length === 5);
  await second.reader.close();
  assert.equal(
    second.got.map(({ text }) => text),
    texts(5, 20),
  );
});

Suite('brings again exactly what was not acked, in order, and counts it', async () => {
  await sayAll(10);
  const first = await read(rig.broker, { durable: 'd' }, (message, by) => {
    if (Number(message.text) % 3 !== 0) by.ack(message.handle);
  });
  await waitFor('ten', () => first.got.length === 10);
  await first.reader.close();
  await reopen();
  const second = await read(rig.broker, { durable: 'd' });
  await waitFor('four', () => second.got.length === 4);
  await second.reader.flush();
  await second.reader.close();
  assert.equal(
    second.got.map(({ text, redeliveries }) => [text, redeliveries]),
    [
      ['0', 1],
      ['3', 1],
      ['6', 1],
      ['9', 1],
    ],
  );
  await rig.broker.close();
  assert.equal((await storeInfo(folder)).durables, [{ name: 'd', filter: '>', position: 10, pending: 0 }]);
});

Suite('a durable made with start new begins where it was made, though it is read later', async () => {
  await sayAll(3);
  await (await read(rig.broker, { durable: 'd', start: { kind: 'new' } })).reader.close();
  await sayAll(3, 3);
  const { reader, got } = await read(rig.broker, { durable: 'd', start: { kind: 'all' } });
  await waitFor('three', () => got.length === 3);
  await reader.close();
  assert.equal(
    got.map(({ text }) => text),
    texts(3, 3),
  );
});

Suite('refuses a durable under another filter, and says which it has', async () => {
  await (await read(rig.broker, { durable: 'd', filter: 's.0' })).reader.close();
  const error = await read(rig.broker, { durable: 'd', filter: 's.1' }).then(
    () => null,
    (thrown: { readonly code: string; readonly message: string }) => thrown,
  );
  assert.is(error?.code, 'MILLRACE_STREAM_MISMATCH');
  assert.match(error!.message, /'s\.0'/u);
});

Suite('without acks a durable moves on as it hands over', async () => {
  await sayAll(4);
  const first = await read(rig.broker, { durable: 'd', noAck: true }, () => undefined);
  await waitFor('four', () => first.got.length === 4);
  await first.reader.close();
  await sayAll(2, 4);
  const second = await read(rig.broker, { durable: 'd', noAck: true }, () => undefined);
  await waitFor('two', () => second.got.length === 2);
  await second.reader.close();
  assert.equal(
    second.got.map(({ text }) => text),
    texts(2, 4),
  );
});

for (const name of [{ durable: 'd' }, { queue: 'q' }, { durable: 'd', queue: 'q' }])
  Suite(`three readers of ${JSON.stringify(name)} share the work, each message once`, async () => {
    const readings: Reading[] = [];
    for (let index = 0; index < 3; index++) readings.push(await read(rig.broker, { ...name, maxInFlight: 8 }));
    await sayAll(400);
    await waitFor('all', () => readings.reduce((sum, { got }) => sum + got.length, 0) >= 400);
    for (const { reader } of readings) await reader.close();
    const all = readings.flatMap(({ got }) => got.map(({ sequence }) => sequence)).sort((a, b) => a - b);
    assert.equal(
      all,
      Array.from({ length: 400 }, (_, index) => index + 1),
    );
    for (const { got } of readings) assert.ok(got.length > 0, 'each has some');
  });

Suite('a queue group without a durable name is forgotten with its last member', async () => {
  const first = await read(rig.broker, { queue: 'q', start: { kind: 'new' } });
  await sayAll(3);
  await waitFor('three', () => first.got.length === 3);
  await first.reader.close();
  await sayAll(3, 3);
  const second = await read(rig.broker, { queue: 'q', start: { kind: 'new' } });
  await sayAll(3, 6);
  await waitFor('three', () => second.got.length === 3);
  await second.reader.close();
  assert.equal(
    second.got.map(({ text }) => text),
    texts(3, 6),
  );
});

Suite('what a closed reader held goes to the others at once', async () => {
  await sayAll(6);
  const holder = await read(rig.broker, { durable: 'd', ackWaitMs: 60_000 }, () => undefined);
  await waitFor('six', () => holder.got.length === 6);
  const other = await read(rig.broker, { durable: 'd', ackWaitMs: 60_000 });
  await holder.reader.close();
  await waitFor('six again', () => other.got.length === 6);
  await other.reader.close();
  assert.equal(
    other.got.map(({ redeliveries }) => redeliveries),
    [1, 1, 1, 1, 1, 1],
  );
});

Suite('two brokers on one folder in one process see each other at once', async () => {
  const other = await openRig(folder);
  const { reader, got } = await read(other.broker, { durable: 'd' });
  await sayAll(50);
  await other.say('s.other', 'x');
  await sayAll(50, 50);
  await waitFor('all', () => got.length === 101);
  await reader.close();
  await other.broker.close();
  assert.equal(
    got.map(({ sequence }) => sequence),
    Array.from({ length: 101 }, (_, index) => index + 1),
  );
});

Suite.run();
