/** `millrace replay` publishes history again with subjects, headers and ids, as far as it was asked, and once where the target can tell. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/index.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { runCommand } from './run-command.ts';

const Replay = timedSuite('millrace replay', { timeoutMs: 60_000 });
const cwd = mkdtempSync(join(tmpdir(), 'millrace-replay-'));
let server: TestServer | null = null;

Replay.before(async () => {
  if (requireServer('nats-server') !== null) server = await startNatsServer();
  const source = await connect(`embedded:${join(cwd, 'source')}`, { workers: 0, deadLetters: 'off' });
  for (let n = 1; n <= 20; n += 1)
    await source.publish(`orders.${n % 2 === 0 ? 'even' : 'odd'}`, { n }, { id: `o-${n}`, headers: { Colour: 'blue' } });
  await source.ingest(
    Array.from({ length: 10 }, (_, at) => ({ n: 21 + at })),
    { subject: 'orders.bulk', framing: 'batch' },
  );
  await source.close();
});
Replay.after(async () => {
  await server?.stop();
  rmSync(cwd, { recursive: true });
});

interface Line {
  readonly subject: string;
  readonly id: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly event: { readonly n: number };
}

async function held(url: string): Promise<Line[]> {
  const { stdout } = await runCommand(['consume', '--from', url, '--start', 'all', '--envelope', '--idle-timeout', '400ms'], { cwd });
  return stdout.trim() === ''
    ? []
    : stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
}

Replay('copies everything, and the same again adds nothing where the target knows ids', async () => {
  const target = server === null ? 'embedded:copy' : `nats+dedupe://127.0.0.1:${server.port}/COPY`;
  const args = ['replay', '--from', 'embedded:source', '--to', target, '--json'];
  const first = await runCommand(args, { cwd });
  assert.is(first.code, 0, first.stderr);
  const report = JSON.parse(first.stdout) as Record<string, unknown>;
  assert.equal([report['read'], report['acked'], report['duplicates'], report['failed']], [30, 30, 0, 0]);
  const lines = await held(target);
  assert.equal(
    lines.map(({ event }) => event.n).toSorted((a, b) => a - b),
    Array.from({ length: 30 }, (_, at) => at + 1),
  );
  assert.equal([lines[0]!.subject, lines[0]!.id, lines[0]!.headers['Colour']], ['orders.odd', 'o-1', 'blue']);
  if (server === null) return;
  const again = JSON.parse((await runCommand(args, { cwd })).stdout) as Record<string, unknown>;
  assert.equal([again['read'], again['acked'], again['duplicates']], [30, 0, 30]);
  assert.is((await held(target)).length, 30);
});

Replay('stops where it is told, and keeps to a subject', async () => {
  const { code, stdout, stderr } = await runCommand(
    [
      'replay',
      '--from',
      'embedded:source',
      '--to',
      'embedded:part',
      '--subject',
      'orders.even',
      '--start',
      'seq:5',
      '--until',
      'seq:15',
      '--json',
    ],
    { cwd },
  );
  assert.is(code, 0, stderr);
  assert.is((JSON.parse(stdout) as { read: number }).read, 5);
  assert.equal(
    (await held('embedded:part')).map(({ event }) => event.n),
    [6, 8, 10, 12, 14],
  );
});

Replay('a start behind the last is the end', async () => {
  for (const start of ['seq:1000', `time:${new Date(Date.now() + 3_600_000).toISOString()}`]) {
    const { code, stdout, stderr } = await runCommand(
      ['replay', '--from', 'embedded:source', '--to', 'embedded:nothing', '--start', start, '--json'],
      { cwd },
    );
    assert.is(code, 0, stderr);
    assert.is((JSON.parse(stdout) as { read: number }).read, 0);
  }
});

Replay('a rate is kept', async () => {
  const { stdout } = await runCommand(['replay', '--from', 'embedded:source', '--to', 'embedded:slow', '--rate', '50/s', '--json'], {
    cwd,
  });
  const { read, elapsedMs } = JSON.parse(stdout) as { read: number; elapsedMs: number };
  assert.is(read, 30);
  assert.ok(elapsedMs >= 29 * 20 - 5, `${elapsedMs} ms`); // The last of 30 is due after 29 gaps; never early.
});

const faults: readonly { readonly name: string; readonly args: readonly string[]; readonly code: number; readonly says: RegExp }[] = [
  { name: 'the same place', args: ['--from', 'embedded:source', '--to', 'embedded:source'], code: 1, says: /are the same/ },
  {
    name: 'a bad rate',
    args: ['--from', 'embedded:source', '--to', 'embedded:x', '--rate', 'fast', '--until', 'noon'],
    code: 1,
    says: /--until: "noon".*--rate: "fast"/,
  },
  { name: 'no target', args: ['--from', 'embedded:source'], code: 1, says: /--to/ },
  {
    name: 'nobody there',
    args: ['--from', 'embedded:source', '--to', 'nats://127.0.0.1:1', '--connect-timeout', '300ms'],
    code: 3,
    says: /MILLRACE_CONNECT/,
  },
  {
    name: 'a source without history',
    args: ['--from', 'nats://127.0.0.1:1', '--to', 'embedded:y', '--connect-timeout', '300ms'],
    code: 3,
    says: /MILLRACE_CONNECT/,
  },
];
for (const { name, args, code, says } of faults)
  Replay(`refuses ${name}`, async () => {
    const result = await runCommand(['replay', ...args], { cwd });
    assert.is(result.code, code, result.stderr);
    assert.match(result.stderr, says);
  });
Replay.run();
