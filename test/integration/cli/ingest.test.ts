/** Files in, events out, through the compiled command and the embedded store: what went in comes out, and every ledger adds up. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import type { IngestReport } from '../../../src/api/report.ts';
import { generateChunks } from '../../../src/cli/generator.ts';
import { timedSuite } from '../../harness/timeout.ts';
import type { CommandResult } from './run-command.ts';
import { runCommand } from './run-command.ts';

const Ingest = timedSuite('ingest and consume', { timeoutMs: 120_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-ingest-'));
Ingest.after(() => rmSync(folder, { recursive: true }));
const run = (args: readonly string[], input?: string): Promise<CommandResult> =>
  runCommand(args, { cwd: folder, ...(input === undefined ? {} : { input }) });
const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content);
const sample = (count: number, duplicates = 0): string => [...generateChunks({ count, duplicates })].join('');

const reportKeys =
  'version to processor workers framing accepted acked duplicates rejected failed unknown dropped inFlight retries messages bytesIn bytesOut elapsedMs eventsPerSecond cpuSeconds eventLoop resumedFrom deadLetters';

function reportOf({ stdout, stderr }: CommandResult): IngestReport {
  assert.is(stdout.split('\n').length, 2, `one line: ${stdout}${stderr}`);
  const report = JSON.parse(stdout) as IngestReport;
  assert.is(Object.keys(report).join(' '), reportKeys);
  assert.is(report.accepted, report.acked + report.duplicates + report.rejected + report.failed + report.dropped + report.inFlight);
  return report;
}

/** Lines of a store, sorted: events of different subjects come in any order. */
async function linesOf(store: string, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await run(['consume', '--from', `embedded:${store}`, '--idle-timeout', '500ms', ...args]);
  assert.equal([code, stderr], [0, '']);
  return stdout.split('\n').slice(0, -1);
}

Ingest('by id: duplicates are found, and consume prints what went in', async () => {
  const text = sample(20_000, 0.02);
  put('events.ndjson', text);
  const result = await run(['ingest', 'events.ndjson', '--to', 'embedded:by-id', '--id', '/id', '--json']);
  assert.is(result.code, 0, result.stderr);
  const report = reportOf(result);
  assert.equal(
    [report.accepted, report.acked, report.duplicates, report.to, report.bytesIn],
    [20_000, 19_600, 400, 'embedded:by-id', text.length],
  );
  const unique = [...new Set(text.split('\n').slice(0, -1))];
  assert.equal((await linesOf('by-id')).sort(), unique.sort());
});

Ingest('stdin, gzip, a pattern and a file named twice', async () => {
  mkdirSync(join(folder, 'many'));
  put('many/a.ndjson', '{"n":1}\n{"n":2}\n');
  put('many/b.ndjson.gz', gzipSync('{"n":3}\n'));
  put('empty.ndjson', '');
  const result = await run(
    ['ingest', 'many/*', '-', 'many/a.ndjson', 'empty.ndjson', '--to', 'embedded:many', '--id', 'none', '--json'],
    '\n{"n":4}\r\n\n{"n":5}',
  );
  assert.is(result.code, 0, result.stderr);
  assert.is(reportOf(result).acked, 7);
  assert.equal(
    (await linesOf('many')).sort(),
    [1, 1, 2, 2, 3, 4, 5].map((n) => `{"n":${n}}`),
  );
});

Ingest('an empty file: nothing accepted, exit 0', async () => {
  put('empty.ndjson', '');
  const result = await run(['ingest', 'empty.ndjson', '--to', 'embedded:empty', '--json']);
  assert.is(result.code, 0, result.stderr);
  assert.is(reportOf(result).accepted, 0);
});

Ingest('bad records are rejects: exit 2, neighbours go through, the reason is written', async () => {
  put('bad.ndjson', '{"n":1}\n{broken\n{"n":2}\n');
  const result = await run(['ingest', 'bad.ndjson', '--to', 'embedded:bad', '--dead-letters', 'letters', '--json']);
  assert.is(result.code, 2, result.stderr);
  const report = reportOf(result);
  assert.equal([report.acked, report.rejected], [2, 1]);
  const letters = readdirSync(join(folder, 'letters'))
    .map((name) => readFileSync(join(folder, 'letters', name), 'utf8'))
    .join('');
  assert.ok(letters.includes('invalid_json') && letters.includes('bad.ndjson'), letters);
});

Ingest('the report for people goes to stdout, and nothing to stderr when piped', async () => {
  put('two.ndjson', '{"n":1}\n{"n":2}\n');
  const { code, stdout, stderr } = await run(['ingest', 'two.ndjson', '--to', 'embedded:two']);
  assert.equal([code, stderr], [0, '']);
  assert.match(stdout, /^2 events \(16 B\) in /);
  assert.not.match(stdout, /\u001B/);
});

Ingest('--dry-run writes no store', async () => {
  put('dry.ndjson', '{"n":1}\n');
  const result = await run(['ingest', 'dry.ndjson', '--to', 'embedded:dry', '--dry-run', '--json']);
  assert.is(result.code, 0, result.stderr);
  assert.not(readdirSync(folder).includes('dry'));
});

Ingest('consume: subject, count and envelope, integers to 64 bit', async () => {
  put('types.ndjson', '{"type":"a","n":9007199254740993}\n{"type":"b","n":2}\n{"type":"a","n":3}\n');
  assert.is((await run(['ingest', 'types.ndjson', '--to', 'embedded:types', '--subject', 'events.{type}', '--id', 'none'])).code, 0);
  assert.equal(await linesOf('types', '--subject', 'events.a'), ['{"type":"a","n":9007199254740993}', '{"type":"a","n":3}']);
  assert.is((await linesOf('types', '--count', '2')).length, 2);
  const [line] = await linesOf('types', '--subject', 'events.b', '--envelope');
  const envelope = JSON.parse(line!) as Record<string, unknown>;
  assert.is(Object.keys(envelope).join(), 'subject,id,sequence,time,headers,event');
  assert.equal([envelope['subject'], envelope['event']], ['events.b', { type: 'b', n: 2 }]);
});

Ingest('consume: a durable name goes on where it stopped', async () => {
  put('durable.ndjson', '{"n":1}\n');
  const args = ['--durable', 'd', '--start', 'all'];
  assert.is((await run(['ingest', 'durable.ndjson', '--to', 'embedded:durable', '--id', 'none'])).code, 0);
  assert.equal(await linesOf('durable', ...args), ['{"n":1}']);
  put('durable.ndjson', '{"n":2}\n');
  assert.is((await run(['ingest', 'durable.ndjson', '--to', 'embedded:durable', '--id', 'none'])).code, 0);
  assert.equal(await linesOf('durable', ...args), ['{"n":2}']);
});

Ingest('an unreachable broker: exit 3, one line, within the connect timeout', async () => {
  put('two.ndjson', '{"n":1}\n');
  // Port 1 is refused at once wherever nobody runs a service of 1988.
  const { code, stdout, stderr } = await run([
    'ingest',
    'two.ndjson',
    '--to',
    'nats+jetstream://u:hunter2@127.0.0.1:1/S?connectTimeout=500ms',
  ]);
  assert.equal([code, stdout], [3, '']);
  assert.match(stderr, /^millrace: MILLRACE_CONNECT: [^\n]+\n$/);
  assert.not(stderr.includes('hunter2'));
});

Ingest.run();
