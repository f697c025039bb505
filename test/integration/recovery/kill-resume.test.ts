/** A checkpoint over kill -9: nothing is missing on any processor; `embedded` is exact, `jetstream` repeats no more than was in flight or not yet saved. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/index.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { gzipSync } from 'node:zlib';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ingestProcess } from './ingest-process.ts';
import type { Ended } from './ingest-process.ts';
import { eventsFile, ingestWithKills, newSeed, random } from './kill-rig.ts';
import type { Scratch } from './kill-rig.ts';
import { notOnce, storedEvents } from './stored-events.ts';
import type { StoredEvents } from './stored-events.ts';

const EVENTS = 25_000;
const KILLS = 4;
const EVENTS_PER_SECOND = 40_000;
const KILL_MS_MAX = 200;

const Suite = suite('kill -9 and resume');
let server: TestServer | null = null;
let scratch: Scratch;

async function storedIn(folder: string): Promise<StoredEvents> {
  await using store = await connect(`embedded:${folder}`);
  const copies = new Map<number, number>();
  let messages = 0;
  for await (const { event } of store.replay()) {
    const { n } = event as { readonly n: number };
    copies.set(n, (copies.get(n) ?? 0) + 1);
    messages += 1;
  }
  return { copies, messages };
}

/** Killed a random time after its checkpoint has moved. */
async function killSometimes(
  args: () => readonly string[],
  checkpoint: string,
  chance: () => number,
): Promise<Ended & { readonly killed: number }> {
  const read = (): string => (existsSync(checkpoint) ? readFileSync(checkpoint, 'utf8') : '');
  for (let killed = 0; ; killed += 1) {
    const before = read();
    const delayMs = chance() * KILL_MS_MAX;
    const kill = async (over: AbortSignal): Promise<void> => {
      while (!over.aborted && read() === before) await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    };
    const ended = await ingestProcess(args(), scratch.folder, killed < KILLS ? kill : undefined);
    if (ended.code !== null) return { ...ended, killed };
  }
}

Suite.before(async () => {
  scratch = eventsFile(EVENTS);
  writeFileSync(`${scratch.file}.gz`, gzipSync(readFileSync(scratch.file)));
  if (requireServer('nats-server') !== null) server = await startNatsServer();
});
Suite.after(async () => {
  await server?.stop();
  scratch.remove();
});

const embedded = [
  { name: 'by position', more: ['--id', 'offset'], file: '' },
  { name: 'by position, one message per event', more: ['--id', 'offset', '--framing', 'each'], file: '' },
  { name: 'by a field', more: ['--id', '/id'], file: '' },
  { name: 'of a packed file', more: ['--id', 'offset'], file: '.gz' },
];
for (const [index, { name, more, file }] of embedded.entries()) {
  Suite(`embedded stores each event once, ${name}`, async () => {
    const seed = newSeed();
    const chance = random(seed);
    const folder = join(scratch.folder, `store-${index}`);
    const args = (): readonly string[] => [
      `${scratch.file}${file}`,
      '--to',
      `embedded:${folder}`,
      '--subject',
      'a.{type}',
      '--checkpoint',
      `checkpoint-${index}`,
      '--max-rate',
      `${EVENTS_PER_SECOND}/s`,
      '--batch-bytes',
      String(2_000 + Math.floor(chance() * 60_000)),
      '--workers',
      chance() < 0.5 ? '0' : '1',
      ...more,
    ];
    const end = await killSometimes(args, join(scratch.folder, `checkpoint-${index}`), chance);
    const place = `seed ${seed}, ${end.killed} killed, ${end.stderr}`;
    assert.is(end.code, 0, place);
    assert.ok(end.killed > 0, place);
    assert.is(notOnce(await storedIn(folder), EVENTS), '', place);
    const { accepted, acked, duplicates } = end.report!;
    assert.is(accepted, acked + duplicates, place);
  });
}

Suite('jetstream stores each event at least once, and repeats what was in flight at most', async () => {
  if (server === null) return;
  const seed = newSeed();
  const chance = random(seed);
  const args = (): readonly string[] => [
    scratch.file,
    '--to',
    `nats+jetstream://127.0.0.1:${server!.port}/R`,
    '--subject',
    'r',
    '--checkpoint',
    'r.checkpoint',
    '--max-rate',
    `${EVENTS_PER_SECOND}/s`,
    '--batch-bytes',
    String(2_000 + Math.floor(chance() * 30_000)),
  ];
  const end = await ingestWithKills({
    server: server.url,
    stream: 'R',
    cwd: scratch.folder,
    args,
    kills: KILLS,
    random: chance,
    killMsMax: KILL_MS_MAX,
  });
  const place = `seed ${seed}, ${end.killed} killed, ${end.stderr}`;
  assert.is(end.code, 0, place);
  assert.ok(end.killed > 0, place);
  const { copies } = await storedEvents(server.url, 'R');
  let repeated = 0;
  for (let n = 0; n < EVENTS; n += 1) {
    const stored = copies.get(n) ?? 0;
    assert.ok(stored > 0, `${n} is missing; ${place}`);
    repeated += stored - 1;
  }
  // Of each kill: the ring (one slab is a twentieth of a second here) and what settled since the last save.
  assert.ok(repeated <= end.killed * EVENTS_PER_SECOND * 0.5, `${repeated} repeated; ${place}`);
  assert.match(end.report!.resumedFrom ?? '', /^byte \d+ of /, place);
});

Suite('a file that is done is not read again, and what is appended is', async () => {
  if (server === null) return;
  const target = ['--to', `nats+jetstream://127.0.0.1:${server.port}/DONE`, '--subject', 'done', '--checkpoint', 'done.checkpoint'];
  const few = eventsFile(100);
  const run = (): Promise<Ended> => ingestProcess([few.file, ...target], few.folder);
  assert.is((await run()).report!.acked, 100);
  const again = await run();
  assert.equal([again.report!.accepted, again.report!.resumedFrom], [0, `byte ${readFileSync(few.file).length} of ${few.file}`]);
  writeFileSync(few.file, '{"n":100}\n{"n":101}\n', { flag: 'a' });
  assert.is((await run()).report!.acked, 2);
  few.remove();
});

Suite.run();
