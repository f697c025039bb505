/** `millrace dlq` lists, shows, replays and purges dead letters; a letter is gone only when its event is stored or somebody said so. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/index.ts';
import { timedSuite } from '../../harness/timeout.ts';
import type { CommandResult } from './run-command.ts';
import { runCommand } from './run-command.ts';
import { giveUpOne } from './given-up.ts';

const Dlq = timedSuite('millrace dlq', { timeoutMs: 60_000 });
let cwd = '';
const run = (...args: string[]): Promise<CommandResult> => runCommand(['dlq', ...args], { cwd });

interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly subject: string | null;
  readonly text?: string;
  readonly base64?: string;
  readonly headers: Readonly<Record<string, string>> | null;
}

async function letters(): Promise<Letter[]> {
  const { stdout, stderr, code } = await run('list', '--json');
  assert.is(code, 0, stderr);
  return stdout.trim() === ''
    ? []
    : stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Letter);
}

Dlq.before.each(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-dlq-'));
  // Two bad records of a file, and one event that a handler gave up.
  writeFileSync(join(cwd, 'in.ndjson'), '{"n":1}\nnot json\n{"n":2}\n{"n":3,"id":7,}\n');
  assert.is((await runCommand(['ingest', 'in.ndjson', '--to', 'embedded:store', '--workers', '0'], { cwd })).code, 2);
  const processor = await connect(`embedded:${join(cwd, 'store')}`, { workers: 0, deadLetters: join(cwd, 'millrace-dead-letters') });
  await giveUpOne(processor);
});
Dlq.after.each(() => rmSync(cwd, { recursive: true }));

Dlq('list shows each letter, and filters them', async () => {
  assert.equal(
    (await letters()).map(({ reason, subject }) => [reason, subject]),
    [
      ['invalid_json', null],
      ['invalid_json', null],
      ['handler', 'orders.new'],
    ],
  );
  const table = await run('list', '--reason', 'handler');
  assert.match(table.stdout, /orders\.new.*no such customer/);
  assert.not.match(table.stdout, /invalid_json/);
  const limited = await run('list', '--limit', '1');
  assert.match(limited.stderr, /3 letters, the first 1 are shown/);
  assert.match((await run('list', '--reason', 'invalid_jsonn')).stderr, /did you mean invalid_json\?/);
});

Dlq('show prints everything of one', async () => {
  const [bad, , handled] = await letters();
  const text = (await run('show', bad!.id)).stdout;
  assert.match(text, /reason +invalid_json/);
  assert.match(text, /origin line +2/);
  assert.ok(text.endsWith('\n\nnot json\n'), text);
  const event = (await run('show', handled!.id)).stdout;
  assert.match(event, /header Nats-Msg-Id +o-9/);
  assert.ok(event.endsWith(`${Buffer.from([0x81, 0xa1, 0x6e, 9]).toString('base64')}\n`), event);
  const nobody = await run('show', 'x-1');
  assert.is(nobody.code, 1);
  assert.match(nobody.stderr, /no letter "x-1"/);
});

Dlq('replay publishes what can be, and keeps the rest', async () => {
  const { code, stdout, stderr } = await run('replay', '--all', '--to', 'embedded:other', '--json');
  assert.is(code, 2, stderr);
  assert.equal(JSON.parse(stdout), { replayed: 1, failed: 2, skipped: 0 });
  assert.match(stderr, /it is still no valid ndjson/);
  assert.equal(
    (await letters()).map(({ reason }) => reason),
    ['invalid_json', 'invalid_json'],
  );
  const { stdout: line } = await runCommand(['consume', '--from', 'embedded:other', '--envelope', '--idle-timeout', '300ms'], { cwd });
  const { subject, id, headers, event } = JSON.parse(line) as {
    subject: string;
    id: string;
    headers: Record<string, string>;
    event: unknown;
  };
  assert.equal([subject, id, headers['Colour'], event], ['orders.new', 'o-9', 'red', { n: 9 }]);
});

Dlq('input goes through ingest as it is told', async () => {
  const { code, stdout, stderr } = await run(
    'replay',
    '--reason',
    'invalid_json',
    '--format',
    'lines',
    '--subject',
    'mended',
    '--to',
    'embedded:other',
    '--json',
  );
  assert.is(code, 0, stderr);
  assert.equal(JSON.parse(stdout), { replayed: 2, failed: 0, skipped: 0 });
  assert.equal(
    (await letters()).map(({ reason }) => reason),
    ['handler'],
  );
});

Dlq('purge removes what is named, when it is confirmed', async () => {
  const [first] = await letters();
  assert.is((await run('purge')).code, 1);
  const asked = await run('purge', first!.id);
  assert.is(asked.code, 1);
  assert.match(asked.stderr, /1 letters would be removed.*--yes/);
  assert.is((await letters()).length, 3);
  assert.match((await run('purge', first!.id, '--yes')).stdout, /^1 letters removed/);
  assert.is((await letters()).length, 2);
  assert.equal(JSON.parse((await run('purge', '--before', '2001-01-01T00:00:00Z', '--yes', '--json')).stdout), { removed: 0 });
  assert.equal(JSON.parse((await run('purge', '--all', '--yes', '--json')).stdout), { removed: 2 });
  assert.equal(await letters(), []);
});
Dlq.run();
