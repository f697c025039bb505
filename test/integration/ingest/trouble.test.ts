/** What a user of the command meets when things are not as they should be: one clear line, the exit code of the contract, never a stack. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IngestReport } from '../../../src/index.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { commandFile, runCommand } from '../cli/run-command.ts';
import type { CommandResult } from '../cli/run-command.ts';
import { targetNames, Targets } from './targets.ts';

const Trouble = timedSuite('trouble at the command line', { timeoutMs: 60_000 });
const targets = new Targets();
const { folder } = targets;
Trouble.after(() => targets.end());
const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
put('good.ndjson', Array.from({ length: 2_000 }, (_, n) => `{"n":${n},"type":"t${n % 3}"}`).join('\n'));
put('not-a-transform.mjs', 'export default 5;');
put('throws.mjs', 'throw new Error("at load");');
put('bad-syntax.mjs', 'export default (');
mkdirSync(join(folder, 'sub'));
const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { cwd: folder });
const ingest = (...args: string[]): Promise<CommandResult> => run('ingest', ...args);

function oneLine({ stdout, stderr, code }: CommandResult, wanted: number, text: RegExp): void {
  assert.is(code, wanted, stderr);
  assert.is(stdout, '');
  assert.match(stderr, /^millrace: MILLRACE_[A-Z_]+: [^\n]+\n$/);
  assert.match(stderr, text);
  assert.not.match(stderr, /\n\s+at /);
}

const lines: readonly { readonly name: string; readonly args: readonly string[]; readonly code: number; readonly text: RegExp }[] = [
  { name: 'a missing file', args: ['no-such.ndjson', '--to', 'embedded:x'], code: 4, text: /no-such\.ndjson/ },
  { name: 'a folder', args: ['sub', '--to', 'embedded:x'], code: 4, text: /folder/ },
  { name: 'a pattern that matches nothing', args: ['*.nothing', '--to', 'embedded:x'], code: 4, text: /\*\.nothing/ },
  { name: 'a bad flag', args: ['good.ndjson', '--to', 'embedded:x', '--wrkers', '2'], code: 1, text: /--workers/ },
  { name: 'a bad value', args: ['good.ndjson', '--to', 'embedded:x', '--workers', 'many'], code: 1, text: /workers/ },
  { name: 'an unknown scheme', args: ['good.ndjson', '--to', 'rabbit://x'], code: 1, text: /rabbit/ },
  { name: 'a store that is a file', args: ['good.ndjson', '--to', 'embedded:good.ndjson'], code: 3, text: /good\.ndjson/ },
  { name: 'a bad subject', args: ['good.ndjson', '--to', 'embedded:x', '--subject', 'a b'], code: 1, text: /subject/i },
  { name: 'a bad id', args: ['good.ndjson', '--to', 'embedded:x', '--id', 'nonsense'], code: 1, text: /nonsense/ },
  {
    name: 'a transform that is no file',
    args: ['good.ndjson', '--to', 'embedded:x', '--transform', 'none.mjs'],
    code: 1,
    text: /none\.mjs/,
  },
  {
    name: 'a transform that is no function',
    args: ['good.ndjson', '--to', 'embedded:x', '--transform', 'not-a-transform.mjs'],
    code: 1,
    text: /no function/,
  },
  {
    name: 'a transform that fails to load',
    args: ['good.ndjson', '--to', 'embedded:x', '--transform', 'throws.mjs'],
    code: 1,
    text: /at load/,
  },
  {
    name: 'a transform with a syntax error',
    args: ['good.ndjson', '--to', 'embedded:x', '--transform', 'bad-syntax.mjs'],
    code: 1,
    text: /bad-syntax\.mjs|Unexpected/,
  },
];
for (const { name, args, code, text } of lines) Trouble(name, async () => oneLine(await ingest(...args), code, text));

Trouble('a server that accepts and says nothing: exit 3 within connectTimeout', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const sockets = new Set<Socket>();
  silent.on('connection', (socket) => sockets.add(socket));
  const began = performance.now();
  oneLine(
    await ingest('good.ndjson', '--to', `nats+jetstream://127.0.0.1:${(silent.address() as AddressInfo).port}/S?connectTimeout=700ms`),
    3,
    /MILLRACE_CONNECT/,
  );
  assert.ok(performance.now() - began < 10_000);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

if (targetNames.includes('jetstream'))
  Trouble('a missing stream with createStream=false: exit 1', async () => {
    const { port } = await targets.server();
    oneLine(
      await ingest('good.ndjson', '--to', `nats+jetstream://127.0.0.1:${port}/ABSENT?createStream=false`),
      1,
      /MILLRACE_STREAM_MISSING.*ABSENT/,
    );
  });

if (targetNames.includes('jetstream'))
  Trouble('no answer from the broker: the second SIGINT ends with 5 and the unsettled count', async () => {
    const server = await targets.server();
    const input = Array.from({ length: 60_000 }, (_, n) => `{"n":${n}}`).join('\n'); // More than pipes hold.
    let [stopped, asked] = [false, false];
    const result = await runCommand(
      ['ingest', '-', '--to', `nats+jetstream://127.0.0.1:${server.port}/STUCK`, '--subject', 'stuck', '--json'],
      {
        cwd: folder,
        input: `${input}\n`,
        keepOpen: true,
        // Wholly taken means that it is connected and reads: from here on nobody answers.
        written: (child) => {
          void server.kill('SIGSTOP').then(() => {
            stopped = true;
            child.stdin?.write(`${input}\n`);
            setTimeout(() => child.kill('SIGINT'), 500);
          });
        },
        onError: (stderr, child) => {
          if (asked || !stderr.includes('draining')) return;
          asked = true;
          child.kill('SIGINT');
        },
      },
    );
    await server.kill('SIGCONT');
    assert.ok(stopped);
    assert.is(result.code, 5, result.stderr);
    assert.match(result.stderr, /second SIGINT: stopped with [\d,]+ events unsettled/);
  });

Trouble('dead letters that cannot be written end the run with 1 and no stack', async () => {
  put('broken.ndjson', Array.from({ length: 3_000 }, () => `{broken${'x'.repeat(1_000)}`).join('\n'));
  // A limit on the size of files, in blocks of 512 B or 1 KiB: the disk that is full for this process.
  const child = spawn(
    'sh',
    [
      '-c',
      'ulimit -f 300; exec "$@"',
      'sh',
      process.execPath,
      commandFile,
      'ingest',
      'broken.ndjson',
      '--to',
      'embedded:full',
      '--dead-letters',
      'full-letters',
      '--json',
    ],
    { cwd: folder },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number];
  assert.is(code, 1, stderr);
  assert.match(stderr, /MILLRACE_DEAD_LETTERS/);
  assert.not.match(stderr, /\n\s+at /);
  const report = JSON.parse(stdout) as IngestReport;
  assert.is(report.accepted, report.acked + report.rejected + report.failed + report.inFlight);
});

const report = ({ stdout }: CommandResult): IngestReport => JSON.parse(stdout) as IngestReport;

Trouble('--limit, --max-rate, --dry-run, --on-full and --config do what they say', async () => {
  const to = ['--to', 'embedded:options', '--id', 'none', '--json'];
  assert.is(report(await ingest('good.ndjson', ...to, '--limit', '10')).acked, 10);
  const paced = report(await ingest('good.ndjson', ...to, '--max-rate', '4000/s'));
  assert.ok(paced.acked === 2_000 && paced.elapsedMs > 350, JSON.stringify(paced));
  assert.is(report(await ingest('good.ndjson', '--to', 'nats+jetstream://127.0.0.1:1/NOBODY', '--json', '--dry-run')).acked, 2_000);
  for (const policy of ['block', 'drop-newest']) {
    const { accepted, acked, dropped } = report(await ingest('good.ndjson', ...to, '--on-full', policy));
    assert.is(acked + dropped, accepted);
    assert.is(accepted, 2_000);
  }
  put('millrace.json', JSON.stringify({ to: 'embedded:from-config', framing: 'each', workers: 0 }));
  const configured = report(await ingest('good.ndjson', '--config', 'millrace.json', '--json'));
  assert.equal([configured.to, configured.framing, configured.workers, configured.messages], ['embedded:from-config', 'each', 0, 2_000]);
});

Trouble('consume: --no-ack reads more than it may hold, and a reader that goes away ends it quietly', async () => {
  assert.is((await ingest('good.ndjson', '--to', 'embedded:read', '--id', 'none')).code, 0);
  const all = await run('consume', '--from', 'embedded:read', '--no-ack', '--idle-timeout', '1s');
  assert.equal([all.code, all.stdout.split('\n').length, all.stderr], [0, 2_001, '']);
  // More than a pipe holds: else it has nothing to write when the reader is gone.
  put('long.ndjson', Array.from({ length: 20_000 }, (_, n) => `{"n":${n},"pad":"${'p'.repeat(50)}"}`).join('\n'));
  assert.is((await ingest('long.ndjson', '--to', 'embedded:read', '--id', 'none')).code, 0);
  const gone = await runCommand(['consume', '--from', 'embedded:read'], { cwd: folder, stopReading: 1 });
  assert.equal([gone.code, gone.stderr], [0, '']);
});

Trouble.run();
