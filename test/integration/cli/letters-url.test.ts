/** Dead letters to a URL: in the other broker as in a file, and when that broker is down, in the folder beside; none is lost. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IngestReport } from '../../../src/api/report.ts';
import { connect } from '../../../src/index.ts';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { giveUpOne } from './given-up.ts';
import type { CommandResult } from './run-command.ts';
import { runCommand } from './run-command.ts';

const Url = timedSuite('dead letters to a URL', { timeoutMs: 60_000 });
let cwd = '';
let server: TestServer | null = null;
let number = 0;
Url.before.each(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-letters-'));
});
Url.after.each(() => rmSync(cwd, { recursive: true }));
Url.after(() => server?.stop());

const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { cwd });
const hasNats = requireServer('nats-server') !== null;

/** Of one server, a stream for each test: all have the subject that letters have. */
async function natsUrl(): Promise<string> {
  await server?.stop();
  server = await startNatsServer();
  number += 1;
  return `${server.url.replace('nats:', 'nats+jetstream:')}/DEAD${number}`;
}

interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly origin: { readonly line: number };
  readonly text: string;
}

const parse = (lines: string): Letter[] =>
  lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Letter);

const INPUT = '{"n":1}\nnot json\n{"n":2}\n{"n":3,"id":7,}\n';

for (const kind of ['embedded', 'jetstream'] as const) {
  if (kind === 'jetstream' && !hasNats) continue;
  Url(`${kind}: rejects are events there, and dlq lists, shows and replays them`, async () => {
    const place = kind === 'embedded' ? 'embedded:dead' : await natsUrl();
    writeFileSync(join(cwd, 'in.ndjson'), INPUT);
    const ingest = await run('ingest', 'in.ndjson', '--to', 'embedded:store', '--workers', '0', '--json', '--dead-letters', place);
    assert.is(ingest.code, 2, ingest.stderr);
    assert.is((JSON.parse(ingest.stdout) as IngestReport).deadLetters, place);
    assert.is(existsSync(join(cwd, 'millrace-dead-letters')), false);
    const { stdout } = await run('consume', '--from', place, '--subject', 'dead-letters.>', '--count', '2', '--no-ack');
    assert.equal(
      parse(stdout).map(({ reason, origin, text }) => [reason, origin.line, text]),
      [
        ['invalid_json', 2, 'not json'],
        ['invalid_json', 4, '{"n":3,"id":7,}'],
      ],
    );
    const dlq = (...args: string[]): Promise<CommandResult> => run('dlq', ...args, '--dead-letters', place);
    const listed = await dlq('list', '--json');
    assert.equal(parse(listed.stdout), parse(stdout));
    assert.equal((await dlq('list', '--reason', 'transform')).stdout, '');
    assert.match((await dlq('list')).stdout, /invalid_json .*in\.ndjson:4/);
    const [first] = parse(stdout);
    assert.ok((await dlq('show', first!.id)).stdout.endsWith('\n\nnot json\n'));
    assert.match((await dlq('show', 'x-1')).stderr, /no letter "x-1"/);
    const purge = await dlq('purge', '--all', '--yes');
    assert.is(purge.code, 1);
    assert.match(purge.stderr, /^millrace: MILLRACE_NOT_SUPPORTED: letters cannot be taken out of [^\n]*maxAge[^\n]*\n$/);
    const replay = await dlq('replay', '--all', '--format', 'lines', '--subject', 'mended', '--to', 'embedded:other');
    assert.is(replay.code, 0, replay.stderr);
    assert.match(replay.stdout, /replayed +2 +stored; they stay here as well/);
    assert.is(
      (await run('consume', '--from', 'embedded:other', '--idle-timeout', '300ms')).stdout,
      `"not json"\n${JSON.stringify('{"n":3,"id":7,}')}\n`,
    );
    assert.is(parse((await dlq('list', '--json')).stdout).length, 2);
  });
}

Url('what a handler gives up goes there too, with its headers and id', async () => {
  const [to, dead] = [`embedded:${join(cwd, 'store')}`, `embedded:${join(cwd, 'dead')}`];
  await using processor = await connect(to, { workers: 0, deadLetters: dead });
  await giveUpOne(processor);
  const { stdout } = await run('dlq', 'list', '--json', '--dead-letters', 'embedded:dead');
  const letter = JSON.parse(stdout) as { reason: string; subject: string; headers: Record<string, string>; base64: string };
  assert.equal(
    [letter.reason, letter.subject, letter.headers['Colour'], letter.headers['Nats-Msg-Id']],
    ['handler', 'orders.new', 'red', 'o-9'],
  );
  assert.is((await run('dlq', 'replay', '--all', '--to', 'embedded:again', '--dead-letters', 'embedded:dead')).code, 0);
  assert.is((await run('consume', '--from', 'embedded:again', '--idle-timeout', '300ms')).stdout, '{"n":9}\n');
});

for (const { place, code, says } of [
  { place: 'natz://h/S', code: 1, says: /unknown scheme "natz:"/ },
  { place: 'nats://127.0.0.1:4222', code: 1, says: /simple keeps nothing; embedded, jetstream/ },
  {
    place: 'nats+jetstream://me:hunter2@127.0.0.1:9/DEAD',
    code: 3,
    says: /dead letters at nats\+jetstream:\/\/\*\*\*@127\.0\.0\.1:9\/DEAD: /,
  },
  { place: 'embedded:in.ndjson', code: 3, says: /dead letters at embedded:in\.ndjson: .*is a file/ },
])
  Url(`${place}: one line before anything is taken in`, async () => {
    writeFileSync(join(cwd, 'in.ndjson'), INPUT);
    const result = await run('ingest', 'in.ndjson', '--to', 'embedded:store', '--workers', '0', '--dead-letters', place);
    assert.equal([result.code, result.stdout], [code, ''], result.stderr);
    assert.match(result.stderr, /^millrace: MILLRACE_[A-Z_]+: [^\n]+\n$/);
    assert.match(result.stderr, says);
    assert.not.match(result.stderr, /hunter2/);
  });

Url('no secret of it is printed', async () => {
  const { stdout } = await run('config', '--dead-letters', 'nats+dedupe://me:hunter2@h/DEAD');
  assert.match(stdout, /deadLetters +nats\+dedupe:\/\/\*\*\*@h\/DEAD/);
  assert.not.match(stdout, /hunter2/);
});

Url('a dry run reaches no broker for them', async () => {
  writeFileSync(join(cwd, 'in.ndjson'), INPUT);
  const args = ['ingest', 'in.ndjson', '--to', 'embedded:store', '--workers', '0', '--dry-run', '--dead-letters', 'embedded:dead'];
  assert.is((await run(...args)).code, 2);
  assert.equal([existsSync(join(cwd, 'dead')), existsSync(join(cwd, 'millrace-dead-letters'))], [false, true]);
});

if (hasNats) {
  Url('a letter that no message holds goes to the folder, whole', async () => {
    const place = await natsUrl();
    const large = `"${'\u0001'.repeat(1_000_000)}"`; // Not valid: control characters must be escaped. In base64 it is over max_payload.
    writeFileSync(join(cwd, 'in.ndjson'), `${large}\nnot json\n`);
    const result = await run('ingest', 'in.ndjson', '--to', 'embedded:store', '--workers', '0', '--dead-letters', place);
    assert.is(result.code, 2, result.stderr);
    assert.match(result.stderr, /1 of 2 dead letters are in millrace-dead-letters/);
    const [beside] = parse((await run('dlq', 'list', '--json')).stdout);
    assert.is((beside as unknown as { rawBytes: number }).rawBytes, large.length);
    assert.equal(
      parse((await run('dlq', 'list', '--json', '--dead-letters', place)).stdout).map(({ text }) => text),
      ['not json'],
    );
  });

  Url('killed while letters go to it: every one is there or in the folder', async () => {
    const place = await natsUrl();
    const bad = (from: number, count: number): string => Array.from({ length: count }, (_, n) => `bad ${from + n}\n`).join('');
    const result = await runCommand(['ingest', '-', '--to', 'embedded:store', '--workers', '0', '--json', '--dead-letters', place], {
      cwd,
      input: bad(0, 5_000),
      keepOpen: true,
      onStarted: (child) => {
        const go = async (): Promise<void> => {
          await waitFor('some letters', () => lettersIn(place) > 0);
          await server!.kill('SIGKILL');
          child.stdin!.end(`${bad(5_000, 5_000)}{"n":1}\n`);
        };
        void go();
      },
    });
    assert.is(result.code, 2, result.stderr);
    const report = JSON.parse(result.stdout) as IngestReport;
    assert.equal([report.accepted, report.rejected, report.acked], [10_001, 10_000, 1]);
    assert.match(result.stderr, /dead letters go to millrace-dead-letters: nats\+jetstream:/);
    assert.match(result.stderr, /of 10000 dead letters are in millrace-dead-letters/);
    await server!.restart();
    const texts = new Set<string>();
    for (const { text } of parse((await run('dlq', 'list', '--json', '--limit', '20000', '--dead-letters', place)).stdout)) texts.add(text);
    assert.ok(texts.size > 0);
    const store = await DeadLetterStore.open(join(cwd, 'millrace-dead-letters'));
    for await (const { raw } of store.list()) texts.add(Buffer.from(raw).toString());
    assert.is(texts.size, 10_000);
  });
}

/** By the server's own account. */
function lettersIn(place: string): number {
  const script = `import { connect } from 'nats'; const nats = await connect({ servers: ${JSON.stringify(server!.url)} });
    const jsm = await nats.jetstreamManager(); const info = await jsm.streams.info(${JSON.stringify(place.split('/').at(-1))}).catch(() => null);
    console.log(info?.state.messages ?? 0); await nats.close();`;
  const args = ['--input-type=module', '-e', script.replace("'nats'", JSON.stringify(import.meta.resolve('nats')))];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

Url.run();
