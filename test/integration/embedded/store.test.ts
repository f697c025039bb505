/** The folder: every way it can be wrong is one clear error, and info, backup, compact and retention do what they say. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import { backupStore } from '../../../src/processors/embedded/backup.ts';
import { compactStore } from '../../../src/processors/embedded/compact.ts';
import { storeInfo } from '../../../src/processors/embedded/info.ts';
import { closeStore, openStore } from '../../../src/processors/embedded/store.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { hashOf, openRig, read, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: the store');
let folder = '';
Suite.before.each(() => {
  folder = temporaryFolder();
});
Suite.after.each(() => {
  remove(folder);
});

const fault = (work: Promise<unknown>): Promise<MillraceError> =>
  work.then(() => assert.unreachable('it did not fail') as never, (error: unknown) => error as MillraceError);

async function makeStore(path: string, change: (store: ReturnType<typeof openStore>) => void): Promise<void> {
  const store = openStore(path, { create: true, doing: 'open' });
  change(store);
  await closeStore(store);
}

/** Root may write anywhere, so the test steps down for the call. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

const wrongFolders: readonly { readonly name: string; readonly make: (path: string) => void | Promise<void>; readonly within?: string; readonly says: RegExp; readonly nobody?: true }[] = [
  { name: 'a file', make: (path) => writeFileSync(path, 'x'), says: /the path is a file; name a folder/u },
  { name: 'below a file', make: (path) => writeFileSync(path, 'x'), within: 'store', says: /a part of the path is a file/u },
  { name: 'a folder that may not be written', make: (path) => (mkdirSync(path), chmodSync(path, 0o500)), says: /may not be written/u, nobody: true },
  { name: 'a place where no folder may be made', make: (path) => (mkdirSync(path), chmodSync(path, 0o500)), within: 'store', says: /may not be written/u, nobody: true },
  { name: 'a file that is not LMDB', make: (path) => (mkdirSync(path), writeFileSync(join(path, 'data.mdb'), Buffer.alloc(20_000, 0xab))), says: /not an LMDB file/u },
  { name: 'a file cut short', make: (path) => (mkdirSync(path), writeFileSync(join(path, 'data.mdb'), 'LMDB')), says: /not an LMDB file/u },
  { name: 'a data file that may not be written', make: (path) => makeStore(path, () => undefined).then(() => (chmodSync(path, 0o777), chmodSync(join(path, 'open'), 0o777), chmodSync(join(path, 'data.mdb'), 0o400))), says: /may not be written/u, nobody: true },
  { name: 'a newer format', make: (path) => makeStore(path, ({ meta }) => meta.putSync('format', Buffer.from('2'), 1)), says: /format is 2, .* reads 1; upgrade Millrace/u },
  { name: 'an older format', make: (path) => makeStore(path, ({ meta }) => meta.putSync('format', Buffer.from('0'), 1)), says: /format is 0, .* reads 1; read it with the version that wrote it/u },
  { name: 'a format that is no number', make: (path) => makeStore(path, ({ meta }) => meta.putSync('format', Buffer.from('?'), 1)), says: /format is unknown/u },
  { name: 'the database of another program', make: (path) => makeStore(path, ({ meta }) => meta.dropSync()), says: /of another program/u },
  { name: 'a path that is too long', make: () => undefined, within: 'x'.repeat(300), says: /too long/u },
];
for (const { name, make, within, says, nobody } of wrongFolders)
  Suite(`says what is wrong with ${name}`, async () => {
    const base = join(folder, 'given');
    await make(base);
    const path = within === undefined ? base : join(base, within);
    if (nobody) chmodSync(folder, 0o755);
    const error = await fault(nobody ? asNobody(() => openRig(path)) : openRig(path));
    assert.is(error.code, 'MILLRACE_STORE');
    assert.match(error.message, says);
    assert.ok(error.message.includes(path), error.message);
  });

Suite('makes missing folders, a name with a dot too', async () => {
  const path = join(folder, 'a', 'b.c');
  const { broker, say } = await openRig(path);
  assert.is(await say('s', 'x'), 1);
  await broker.close();
  assert.ok(existsSync(join(path, 'data.mdb')));
});

Suite('opens again what was closed, and goes on with the next sequence', async () => {
  for (let sequence = 1; sequence <= 3; sequence++) {
    const { broker, say } = await openRig(folder);
    assert.is(await say('s', 'x'), sequence);
    await broker.close();
  }
});

Suite('a full disk fails the message as certainly not stored, keeps all that was acked, and can still be read', async () => {
  const child = new URL('./full-process.js', import.meta.url).pathname;
  // The signal is ignored so that the write itself fails, as on a full disk. Blocks of 512 B: 16 MiB.
  const { stdout, status } = spawnSync('sh', ['-c', `trap '' XFSZ; ulimit -f 32768; exec "$0" "$1" "$2"`, process.execPath, child, folder], { encoding: 'utf8' });
  assert.is(status, 0);
  const { code, message, retryable, outcome, reasons, acked, last } = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal({ code, retryable, outcome, last }, { code: 'MILLRACE_STORE', retryable: true, outcome: 'failed', last: acked });
  assert.match(String(message), /the disk is full/u);
  assert.equal(reasons, [message]);
  assert.ok(Number(acked) > 50);
  const { broker, say } = await openRig(folder); // without the limit: as when space is back
  assert.is(await say('s', 'again'), Number(acked) + 1);
  await broker.close();
});

const retentions = [
  { name: 'count', limits: { maxMessages: 100 }, kept: (info: Awaited<ReturnType<typeof storeInfo>>) => info.messages === 100 },
  { name: 'bytes', limits: { maxBytes: 50_000 }, kept: (info: Awaited<ReturnType<typeof storeInfo>>) => info.bytes <= 50_000 && info.bytes > 45_000 },
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
  const { reader, got } = await read(broker, { durable: 'billing', filter: 'sub.*' }, (message, by) => (message.sequence === 2 ? by.ack(message.handle) : undefined));
  await waitFor('three', () => got.length === 3);
  await reader.flush();
  const { fileBytes, firstTime, lastTime, ...info } = await storeInfo(folder);
  assert.equal(info, {
    path: folder, format: 1, messages: 3, firstSequence: 1, lastSequence: 3, bytes: 3 * (32 + 8) + 6,
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
  const early = await fault(compactStore(folder));
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
  const error = await fault(openRig(folder));
  assert.match(error.message, /is compacting it/u);
  assert.equal(readdirSync(join(folder, 'open')), []);
});

for (const [name, work] of [['info', storeInfo], ['compact', compactStore], ['backup', (path: string) => backupStore(path, join(path, 'copy'))]] as const)
  Suite(`${name} of a store that is not there says so and makes nothing`, async () => {
    for (const path of [join(folder, 'missing'), folder]) {
      const error = await fault(work(path));
      assert.is(error.code, 'MILLRACE_STORE');
      assert.match(error.message, /there is n|holds no store/u);
    }
    assert.equal(readdirSync(folder), []);
  });

Suite.run();
