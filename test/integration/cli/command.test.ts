/** The compiled command as a user meets it: help, version, mistakes and their exit codes, one clear line on stderr, results on stdout. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { runCommand } from './run-command.ts';

const Cli = timedSuite('millrace command', { timeoutMs: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
Cli.after(() => rmSync(folder, { recursive: true }));
const run = (...args: string[]): ReturnType<typeof runCommand> => runCommand(args, { cwd: folder });

for (const args of [
  ['--help'],
  ['ingest', '--help'],
  ['consume', '--help'],
  ['generate', '--help'],
  ['config', '--help'],
  ['help', 'ingest'],
])
  Cli(`${args.join(' ')} shows examples first, on stdout`, async () => {
    const { code, stdout, stderr } = await run(...args);
    assert.is(code, 0);
    assert.is(stderr, '');
    assert.ok(stdout.startsWith('Examples:\n  millrace '), stdout);
    assert.ok(stdout.includes('Usage: millrace'));
  });

Cli('--version is that of the package', async () => {
  const { code, stdout } = await run('--version');
  assert.is(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

Cli('no command: the help, on stderr', async () => {
  const { code, stdout, stderr } = await run();
  assert.equal([code, stdout], [1, '']);
  assert.ok(stderr.includes('Usage: millrace'));
});

writeFileSync(join(folder, 'bad.json'), '{"wrokers": 1}');
const mistakes: readonly { readonly args: readonly string[]; readonly code: number; readonly says: readonly string[] }[] = [
  { args: ['ingst'], code: 1, says: ['MILLRACE_USAGE', "unknown command 'ingst'", 'Did you mean ingest?'] },
  { args: ['ingest'], code: 1, says: ['missing required argument'] },
  { args: ['ingest', '--wrokers', '2', 'x'], code: 1, says: ["unknown option '--wrokers'", '--workers'] },
  { args: ['ingest', 'x', '--workers'], code: 1, says: ['argument missing'] },
  { args: ['ingest', 'x', '--workers', 'abc'], code: 1, says: ['MILLRACE_CONFIG', 'flag --workers: "abc"', 'whole number'] },
  { args: ['ingest', 'x', '--to', 'natz://h'], code: 1, says: ['unknown scheme "natz:"', 'nats://'] },
  { args: ['ingest', 'x', '--format', 'jsn'], code: 1, says: ['did you mean json?'] },
  { args: ['ingest', 'x', '--config', 'none.json'], code: 1, says: ['config file "none.json" cannot be read'] },
  { args: ['ingest', 'x', '--config', 'bad.json'], code: 1, says: ['file bad.json: wrokers: no such option; did you mean workers?'] },
  { args: ['ingest', 'x', '--transform', 'none.js'], code: 1, says: ['--transform: "none.js" is no file'] },
  { args: ['ingest', 'missing.ndjson'], code: 4, says: ['MILLRACE_SOURCE', '"missing.ndjson" cannot be read: no such file'] },
  { args: ['ingest', '.'], code: 4, says: ['is a folder'] },
  { args: ['ingest', '*.nothing'], code: 4, says: ['no file matches "*.nothing"'] },
  { args: ['consume', '--start', 'soon'], code: 1, says: ['flag --start: "soon"', 'seq:N'] },
  { args: ['consume', 'x'], code: 1, says: ['too many arguments', 'but got 1. See --help.'] },
  { args: ['embedded', 'inf'], code: 1, says: ['Did you mean info?'] },
  { args: ['dlq', 'replay', '--all'], code: 1, says: ["required option '--to <URL>' not specified"] },
  { args: ['dlq', 'list', '--dead-letters', 'bad.json'], code: 1, says: ['it is not a folder'] },
  { args: ['consume', '--from', 'embedded:bad.json'], code: 3, says: ['the path is a file; name a folder'] },
  { args: ['consume', '--from', 'nats://127.0.0.1:9'], code: 3, says: ['connection refused'] },
  { args: ['generate', '--count', '-5'], code: 1, says: ['flag --count: "-5"'] },
  { args: ['generate', '--duplicates', '200%'], code: 1, says: ['flag --duplicates', 'from 0% to 100%'] },
  { args: ['generate', '--shape', 'order'], code: 1, says: ['did you mean orders?'] },
  { args: ['ingest', 'x', '--pasword=hunter2'], code: 1, says: ["unknown option '--pasword'"] },
];

for (const { args, code, says } of mistakes)
  Cli(`millrace ${args.join(' ')}: exit ${code}, one line`, async () => {
    const result = await run(...args);
    assert.is(result.code, code, result.stderr);
    assert.is(result.stdout, '');
    assert.match(result.stderr, /^millrace: MILLRACE_[A-Z_]+: [^\n]+\n$/);
    for (const text of says) assert.ok(result.stderr.includes(text), result.stderr);
    assert.not.match(result.stderr, /\n\s+at |hunter2|\u001B/);
  });

Cli('lists all faults of flags, URL and environment at once', async () => {
  const { code, stderr } = await runCommand(['ingest', 'x', '--slabs', '1', '--to', 'nats://h?replicas=3'], {
    cwd: folder,
    env: { MILLRACE_LINGER_MS: 'x' },
  });
  assert.is(code, 1);
  for (const text of ['3 faults', 'flag --slabs', 'URL query replicas', 'env MILLRACE_LINGER_MS']) assert.ok(stderr.includes(text), stderr);
});

Cli('--verbose adds the stack and the cause', async () => {
  const { stderr } = await run('ingest', 'missing.ndjson', '--verbose');
  assert.match(stderr, /\n\s+at /);
  assert.match(stderr, /caused by: .*ENOENT/);
});

Cli('generate prints the same events for a seed, as many as asked for', async () => {
  const digests: string[] = [];
  for (const seed of ['7', '7', '8']) {
    const { code, stdout } = await run('generate', '--count', '20_000', '--duplicates', '2%', '--seed', seed);
    assert.is(code, 0);
    const lines = stdout.split('\n').slice(0, -1);
    assert.is(lines.length, 20_000);
    assert.is(new Set(lines).size, 19_600);
    digests.push(createHash('sha256').update(stdout).digest('hex'));
  }
  assert.is(digests[0], digests[1]);
  assert.is.not(digests[0], digests[2]);
});

Cli('generate ends quietly when its reader goes away', async () => {
  const { code, stderr } = await runCommand(['generate', '--count', '1000000'], { cwd: folder, stopReading: 1_000 });
  assert.equal([code, stderr], [0, '']);
});

Cli('config prints each value with its origin and no secret', async () => {
  const env = { MILLRACE_WORKERS: '3', MILLRACE_TOKEN: 'hunter2' };
  const { code, stdout, stderr } = await runCommand(['config', '--to', 'nats://h?slabs=8', '--slab-bytes', '64KiB', '--json'], {
    cwd: folder,
    env,
  });
  assert.equal([code, stderr], [0, '']);
  const origins = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(origins['to'], { value: 'nats://***@h:4222', origin: 'flag', from: 'flag --to' });
  assert.equal(origins['slabs'], { value: '8', origin: 'url', from: 'URL query slabs' });
  assert.equal(origins['slabBytes'], { value: '64KiB', origin: 'flag', from: 'flag --slab-bytes' });
  assert.equal(origins['workers'], { value: '3', origin: 'env', from: 'env MILLRACE_WORKERS' });
  assert.equal(origins['token'], { value: '***', origin: 'env', from: 'env MILLRACE_TOKEN' });
  assert.not(stdout.includes('hunter2'));
  const table = await runCommand(['config'], { cwd: folder, env });
  assert.match(table.stdout, /^option +value +origin\nto +embedded:\.millrace +default\n/);
  assert.match(table.stdout, /\nworkers +3 +env MILLRACE_WORKERS\n/);
});

Cli('commands of later versions say so', async () => {
  for (const command of ['serve', 'doctor', 'bench']) {
    const { code, stderr } = await run(command, '--port', '8080', 'x');
    assert.is(code, 1);
    assert.is(stderr, `millrace: MILLRACE_USAGE: "millrace ${command}" is not in this version\n`);
  }
});

Cli.run();
