/** The folder: every way it can be wrong is one clear error, and a full disk harms nothing that was acked. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { faultOf, makeStore, openRig, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: the store');
let folder = '';
Suite.before.each(() => {
  folder = temporaryFolder();
});
Suite.after.each(() => {
  remove(folder);
});

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

const wrongFolders: readonly {
  readonly name: string;
  readonly make: (path: string) => void | Promise<void>;
  readonly within?: string;
  readonly says: RegExp;
  readonly nobody?: true;
}[] = [
  { name: 'a file', make: (path) => writeFileSync(path, 'x'), says: /the path is a file; name a folder/u },
  { name: 'below a file', make: (path) => writeFileSync(path, 'x'), within: 'store', says: /a part of the path is a file/u },
  {
    name: 'a folder that may not be written',
    make: (path) => (mkdirSync(path), chmodSync(path, 0o500)),
    says: /may not be written/u,
    nobody: true,
  },
  {
    name: 'a place where no folder may be made',
    make: (path) => (mkdirSync(path), chmodSync(path, 0o500)),
    within: 'store',
    says: /may not be written/u,
    nobody: true,
  },
  {
    name: 'a file that is not LMDB',
    make: (path) => (mkdirSync(path), writeFileSync(join(path, 'data.mdb'), Buffer.alloc(20_000, 0xab))),
    says: /not an LMDB file/u,
  },
  { name: 'a file cut short', make: (path) => (mkdirSync(path), writeFileSync(join(path, 'data.mdb'), 'LMDB')), says: /not an LMDB file/u },
  {
    name: 'a data file that may not be written',
    make: (path) =>
      makeStore(path, () => undefined).then(
        () => (chmodSync(path, 0o777), chmodSync(join(path, 'open'), 0o777), chmodSync(join(path, 'data.mdb'), 0o400)),
      ),
    says: /may not be written/u,
    nobody: true,
  },
  {
    name: 'a newer format',
    make: (path) => makeStore(path, ({ meta }) => meta.putSync('format', Buffer.from('2'), 1)),
    says: /format is 2, .* reads 1; upgrade Millrace/u,
  },
  {
    name: 'an older format',
    make: (path) => makeStore(path, ({ meta }) => meta.putSync('format', Buffer.from('0'), 1)),
    says: /format is 0, .* reads 1; read it with the version that wrote it/u,
  },
  {
    name: 'a format that is no number',
    make: (path) => makeStore(path, ({ meta }) => meta.putSync('format', Buffer.from('?'), 1)),
    says: /format is unknown/u,
  },
  { name: 'the database of another program', make: (path) => makeStore(path, ({ meta }) => meta.dropSync()), says: /of another program/u },
  { name: 'a path that is too long', make: () => undefined, within: 'x'.repeat(300), says: /too long/u },
];
for (const { name, make, within, says, nobody } of wrongFolders)
  Suite(`says what is wrong with ${name}`, async () => {
    const base = join(folder, 'given');
    await make(base);
    const path = within === undefined ? base : join(base, within);
    if (nobody) chmodSync(folder, 0o755);
    const error = await faultOf(nobody ? asNobody(() => openRig(path)) : openRig(path));
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
  const { stdout, status } = spawnSync(
    'sh',
    ['-c', `trap '' XFSZ; ulimit -f 32768; exec "$0" "$1" "$2"`, process.execPath, child, folder],
    { encoding: 'utf8' },
  );
  assert.is(status, 0);
  const { code, message, retryable, outcome, reasons, acked, last } = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal({ code, retryable, outcome, last }, { code: 'MILLRACE_BROKER_FULL', retryable: true, outcome: 'failed', last: acked });
  assert.match(String(message), /the disk is full/u);
  assert.equal(reasons, [message]);
  assert.ok(Number(acked) > 50);
  const { broker, say } = await openRig(folder); // without the limit: as when space is back
  assert.is(await say('s', 'again'), Number(acked) + 1);
  await broker.close();
});

Suite.run();
