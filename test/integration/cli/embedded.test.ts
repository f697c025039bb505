/** `millrace embedded info | backup | compact`, run as a user runs them: they agree with what was ingested, and harm no store. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IngestReport } from '../../../src/api/report.ts';
import { generateChunks } from '../../../src/cli/generator.ts';
import { connect } from '../../../src/index.ts';
import type { StoreInfo } from '../../../src/index.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { runCommand } from './run-command.ts';
import type { CommandResult } from './run-command.ts';

const Embedded = timedSuite('millrace embedded', { timeoutMs: 60_000 });
let cwd = '';
Embedded.before.each(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-upkeep-'));
});
Embedded.after.each(() => rmSync(cwd, { recursive: true }));
const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { cwd });

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--json');
  assert.equal([code, stderr], [0, '']);
  return JSON.parse(stdout) as T;
}

/** Events into `store`, as a file. */
async function fill(events: number, ...flags: string[]): Promise<IngestReport> {
  writeFileSync(join(cwd, 'in.ndjson'), [...generateChunks({ count: events })].join(''));
  return json<IngestReport>('ingest', 'in.ndjson', '--to', 'embedded:store', '--workers', '0', ...flags);
}

async function linesOf(from: string): Promise<string[]> {
  const { code, stdout, stderr } = await run('consume', '--from', from, '--no-ack', '--idle-timeout', '500ms');
  assert.is(code, 0, stderr);
  return stdout.split('\n').slice(0, -1);
}

for (const args of [[], ['info'], ['backup'], ['compact']])
  Embedded(`embedded ${args.join(' ')} --help shows examples first`, async () => {
    const { code, stdout, stderr } = await run('embedded', ...args, '--help');
    assert.equal([code, stderr], [0, '']);
    assert.ok(stdout.startsWith('Examples:\n  millrace embedded '), stdout);
  });

Embedded('info agrees with what was ingested, named by folder, by URL and by default', async () => {
  const { messages, acked } = await fill(1_000, '--framing', 'each');
  assert.equal([messages, acked], [1_000, 1_000]);
  assert.is((await run('consume', '--from', 'embedded:store', '--durable', 'billing', '--count', '400')).code, 0);
  const info = await json<StoreInfo>('embedded', 'info', 'store');
  assert.equal([info.messages, info.firstSequence, info.lastSequence], [messages, 1, messages]);
  assert.is(info.fileBytes, statSync(join(cwd, 'store/data.mdb')).size);
  assert.ok(info.bytes > 0 && info.bytes < info.fileBytes);
  assert.ok(new Date(info.lastTime!) >= new Date(info.firstTime!));
  assert.equal(
    info.durables.map(({ name, filter, position }) => [name, filter, position]),
    [['billing', '>', 400]],
  );
  assert.equal(await json('embedded', 'info', 'embedded:store'), info);
  const { stdout } = await run('embedded', 'info', 'store');
  assert.match(
    stdout,
    /^store +store \(format 1\)\nmessages +1,000, sequence 1 to 1000\nstored +\d{4}-.* to .*\nbytes +.* in messages, .* on disk\n/,
  );
  assert.match(stdout, /\nbilling +> +400 +\d+\n$/);
  const missing = await run('embedded', 'info');
  assert.is(missing.code, 3);
  assert.match(missing.stderr, /'\.millrace'/);
});

Embedded('a backup is a store of its own that consume reads', async () => {
  await fill(5_000);
  const { bytes } = await json<{ to: string; bytes: number }>('embedded', 'backup', 'store', '--to', 'copies/monday');
  assert.equal(readdirSync(join(cwd, 'copies/monday')), ['data.mdb']);
  assert.is(statSync(join(cwd, 'copies/monday/data.mdb')).size, bytes);
  const [original, copy] = [await linesOf('embedded:store'), await linesOf('embedded:copies/monday')];
  assert.is(copy.length, 5_000);
  assert.equal(copy, original);
  assert.equal(
    { ...(await json<StoreInfo>('embedded', 'info', 'copies/monday')), path: '', fileBytes: 0 },
    { ...(await json<StoreInfo>('embedded', 'info', 'store')), path: '', fileBytes: 0 },
  );
});

Embedded('a backup never writes over anything', async () => {
  await fill(10);
  mkdirSync(join(cwd, 'taken'));
  writeFileSync(join(cwd, 'taken/data.mdb'), 'precious');
  writeFileSync(join(cwd, 'file'), '');
  for (const [to, says] of [
    ['taken', /not empty/],
    ['file', /is a file/],
    ['store', /not empty/],
    ['nats://127.0.0.1', /simple broker is no embedded store/],
  ] as const) {
    const { code, stdout, stderr } = await run('embedded', 'backup', 'store', '--to', to);
    assert.equal([code === 3 || code === 1, stdout], [true, '']);
    assert.match(stderr, /^millrace: MILLRACE_(STORE|CONFIG): [^\n]+\n$/);
    assert.match(stderr, says);
  }
  assert.is(statSync(join(cwd, 'taken/data.mdb')).size, 8);
  assert.is((await run('embedded', 'backup', 'store')).code, 1);
});

Embedded('compact gives back what retention removed, and keeps the rest', async () => {
  await fill(40_000);
  await using processor = await connect(`embedded:${join(cwd, 'store')}`, { workers: 0, maxMessages: 5, deadLetters: 'off' });
  for (let n = 0; n < 10; n += 1) await processor.publish('kept', { n });
  await waitFor('retention', async () => (await json<StoreInfo>('embedded', 'info', 'store')).messages === 5);
  const busy = await run('embedded', 'compact', 'store');
  assert.is(busy.code, 3);
  assert.match(busy.stderr, new RegExp(`process ${process.pid} has it open; close it there first`));
  await processor.close();
  const before = await json<StoreInfo>('embedded', 'info', 'store');
  const result = await json<{ bytesBefore: number; bytesAfter: number }>('embedded', 'compact', 'embedded:store');
  assert.is(result.bytesBefore, before.fileBytes);
  assert.ok(result.bytesAfter < result.bytesBefore / 4, JSON.stringify(result));
  assert.is(statSync(join(cwd, 'store/data.mdb')).size, result.bytesAfter);
  assert.equal({ ...(await json<StoreInfo>('embedded', 'info', 'store')), fileBytes: 0 }, { ...before, fileBytes: 0 });
  assert.equal(await linesOf('embedded:store'), ['{"n":5}', '{"n":6}', '{"n":7}', '{"n":8}', '{"n":9}']);
  const again = await run('embedded', 'compact', 'store');
  assert.match(again.stdout, /^[\d.]+ [kM]?B before, [\d.]+ [kM]?B after compaction\n$/);
});

for (const command of ['info', 'backup', 'compact'])
  Embedded(`${command}: what is no store of ours is one line, exit 3, and stays as it is`, async () => {
    const to = command === 'backup' ? ['--to', 'copy'] : [];
    writeFileSync(join(cwd, 'file'), 'text');
    mkdirSync(join(cwd, 'empty'));
    mkdirSync(join(cwd, 'other'));
    writeFileSync(join(cwd, 'other/data.mdb'), Buffer.alloc(8_192, 7));
    await fill(1);
    // A store of a later version: its format number is changed where LMDB keeps it.
    const script = `import { open } from 'lmdb'; const root = open({ path: 'newer', noSubdir: false, encoding: 'binary', maxDbs: 8 });
      await root.openDB('meta', { encoding: 'binary', useVersions: true }).put('format', Buffer.from('2'), 1); await root.close();`;
    mkdirSync(join(cwd, 'newer'));
    const made = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script.replace("'lmdb'", JSON.stringify(import.meta.resolve('lmdb')))],
      { cwd },
    );
    assert.is(made.status, 0, made.stderr.toString());
    for (const [path, says] of [
      ['missing', /there is n/],
      ['file', /is a file|no store/],
      ['empty', /no store/],
      ['other', /not an LMDB file/],
      ['newer', /its format is 2, this version of Millrace reads 1; upgrade Millrace/],
    ] as const) {
      const { code, stdout, stderr } = await run('embedded', command, path, ...to);
      assert.equal([code, stdout], [3, ''], stderr);
      assert.match(stderr, /^millrace: MILLRACE_STORE: [^\n]+\n$/);
      assert.match(stderr, says);
    }
    const url = await run('embedded', command, 'nats+jetstream://127.0.0.1:4222/E', ...to);
    assert.is(url.code, 1);
    assert.match(url.stderr, /jetstream broker is no embedded store; expected a folder or embedded:PATH/);
    assert.equal([existsSync(join(cwd, 'missing')), existsSync(join(cwd, 'copy')), readdirSync(join(cwd, 'empty'))], [false, false, []]);
  });

Embedded.run();
