/** The upkeep of a store: retention, info, backup and compact do what they say, and harm nothing when they cannot. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { backupStore } from '../../../src/processors/embedded/backup.ts';
import { compactStore } from '../../../src/processors/embedded/compact.ts';
import { storeInfo } from '../../../src/processors/embedded/info.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { faultOf, hashOf, makeStore, openRig, read, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: upkeep');
let folder = '';
Suite.before.each(() => {
  folder = temporaryFolder();
});
Suite.after.each(() => {
  remove(folder);
});

const retentions = [
  { name: 'count', limits: { maxMessages: 100 }, kept: (info: Awaited<ReturnType<typeof storeInfo>>) => info.messages === 100 },
  {
    name: 'bytes',
    limits: { maxBytes: 50_000 },
    kept: (info: Awaited<ReturnType<typeof storeInfo>>) => info.bytes <= 50_000 && info.bytes > 45_000,
  },
  { name: 'age', limits: { maxAgeMs: 1 }, kept: (info: Awaited<ReturnType<typeof storeInfo>>) => info.messages === 0 },
];
for (const { name, limits, kept } of retentions)
  Suite(`keeps within the limit by ${name}, oldest first, and counts`, async () => {
    const { broker, say } = await openRig(folder, limits);
    const slow = await read(broker, { durable: 'd', maxInFlight: 1 }, () => undefined);
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => say('s', String(index).padEnd(1_000))));
    await waitFor('the limit', async () => kept(await storeInfo(folder)));
    const info = await storeInfo(folder);
    assert.is(info.lastSequence, 1_000);
    await waitFor('the count', () => broker.removed.messages === 1_000 - info.messages);
    if (info.messages > 0) assert.is(info.firstSequence, 1_000 - info.messages + 1);
    await slow.reader.close();
    const again = await read(broker, { durable: 'd' }); // its position is in what was removed
    await waitFor('what is kept', () => again.got.length >= info.messages);
    await again.reader.close();
    assert.is(again.got.at(-1)?.sequence ?? 1_000, 1_000);
    await broker.close();
  });

Suite('info tells what is there', async () => {
  const { broker, say } = await openRig(folder);
  for (const text of ['a', 'bb', 'ccc']) await say('sub.ject', text);
  const { reader, got } = await read(broker, { durable: 'billing', filter: 'sub.*' }, (message, by) =>
    message.sequence === 2 ? by.ack(message.handle) : undefined,
  );
  await waitFor('three', () => got.length === 3);
  await reader.flush();
  const { fileBytes, firstTime, lastTime, ...info } = await storeInfo(folder);
  assert.equal(info, {
    path: folder,
    format: 1,
    messages: 3,
    firstSequence: 1,
    lastSequence: 3,
    bytes: 3 * (32 + 8) + 6,
    durables: [{ name: 'billing', filter: 'sub.*', position: 0, pending: 2 }],
  });
  assert.is(fileBytes, statSync(join(folder, 'data.mdb')).size);
  assert.equal([firstTime!.getTime(), lastTime!.getTime()], [got[0]!.timeMs, got[2]!.timeMs]);
  await reader.close();
  await broker.close();
});

Suite('a backup of a store at work is a store with all that was acked before', async () => {
  const { broker, say, publish } = await openRig(folder);
  const content = Buffer.alloc(100_000, 3);
  for (let index = 0; index < 20; index++) await publish({ memory: content });
  const more = Promise.all(Array.from({ length: 200 }, () => say('s', 'more')));
  const target = join(folder, 'copy');
  assert.ok((await backupStore(folder, target)) > 2_000_000);
  await more;
  await broker.close();
  const copy = await openRig(target);
  const { reader, got } = await read(copy.broker, { noAck: true }, () => undefined);
  await waitFor('the messages', () => got.length >= 20);
  await reader.close();
  await copy.broker.close();
  for (const { hash } of got.slice(0, 20)) assert.is(hash, hashOf(content));
});

Suite('compact gives room back and keeps the rest, alone only', async () => {
  const { broker, publish } = await openRig(folder, { maxMessages: 5 });
  for (let index = 0; index < 100; index++) await publish({ memory: Buffer.alloc(100_000, index) });
  await waitFor('the limit', async () => (await storeInfo(folder)).messages === 5);
  const early = await faultOf(compactStore(folder));
  assert.is(early.code, 'MILLRACE_STORE');
  assert.match(early.message, new RegExp(`process ${process.pid} has it open`, 'u'));
  await broker.close();
  const before = await storeInfo(folder);
  const { bytesBefore, bytesAfter } = await compactStore(folder);
  assert.is(bytesBefore, before.fileBytes);
  assert.ok(bytesAfter < bytesBefore && bytesAfter < 1_000_000, `${bytesBefore} to ${bytesAfter}`);
  assert.equal({ ...(await storeInfo(folder)), fileBytes: 0 }, { ...before, fileBytes: 0 });
  assert.equal(readdirSync(join(folder, 'open')), []);
});

Suite('what a killed compaction or opener left is cleared away; one at work is respected', async () => {
  await makeStore(folder, () => undefined);
  const ended = String(spawnSync(process.execPath, ['-e', '']).pid);
  writeFileSync(join(folder, 'open', `${ended}-1`), '');
  mkdirSync(join(folder, 'compacting'));
  writeFileSync(join(folder, 'compacting', ended), '');
  await compactStore(folder);
  mkdirSync(join(folder, 'compacting'));
  writeFileSync(join(folder, 'compacting', String(process.pid)), '');
  const error = await faultOf(openRig(folder));
  assert.match(error.message, /is compacting it/u);
  assert.equal(readdirSync(join(folder, 'open')), []);
});

for (const [name, work] of [
  ['info', storeInfo],
  ['compact', compactStore],
  ['backup', (path: string) => backupStore(path, join(path, 'copy'))],
] as const)
  Suite(`${name} of a store that is not there says so and makes nothing`, async () => {
    for (const path of [join(folder, 'missing'), folder]) {
      const error = await faultOf(work(path));
      assert.is(error.code, 'MILLRACE_STORE');
      assert.match(error.message, /there is n|holds no store/u);
    }
    assert.equal(readdirSync(folder), []);
  });

Suite.run();
