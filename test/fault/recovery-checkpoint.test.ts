/** A checkpoint that is torn, held by another, or whose file is not the same any more: never a silent start at the end, never old bytes again. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.ts';
import type { EventProcessor, IngestOptions, IngestReport, MillraceError } from '../../src/index.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ingestProcess } from '../integration/recovery/ingest-process.ts';

const Suite = suite('checkpoint of an ingest');
const root = mkdtempSync(join(tmpdir(), 'millrace-checkpoint-'));
let folder = '';
let file = '';
let checkpoint = '';
let store: EventProcessor;
let warnings: string[] = [];
let next = 0;

const line = (n: number): string => `{"n":${n},"pad":"${'x'.repeat(n % 50)}"}\n`;
const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, index) => line(from + index)).join('');
const ingest = (options: IngestOptions = {}, source = file): Promise<IngestReport> =>
  store.ingest(source, { checkpoint, id: 'none', deadLetters: 'off', ...options });
const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as MillraceError).code,
  );

/** Numbers of all events stored, in order. */
async function numbers(): Promise<number[]> {
  const all: number[] = [];
  for await (const { event } of store.replay()) all.push((event as { n: number }).n);
  return all;
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

Suite.before.each(async () => {
  folder = join(root, String(next++));
  store = await connect(`embedded:${join(folder, 'store')}`, { workers: 0, slabBytes: 16_384 });
  warnings = [];
  store.on('warning', (message) => warnings.push(message));
  file = join(folder, 'events.ndjson');
  checkpoint = join(folder, 'checkpoint');
});
Suite.after.each(() => store.close());
Suite.after(() => rmSync(root, { recursive: true, force: true }));

Suite('goes on where it was, also in the middle of a slab, and says from where', async () => {
  writeFileSync(file, lines(0, 3_000));
  const first = await ingest({ limit: 1_234 });
  assert.is(first.resumedFrom, null);
  const second = await ingest();
  assert.is(second.resumedFrom, `byte ${lines(0, 1_234).length} of ${file}`);
  assert.is(second.accepted, 3_000 - 1_234);
  assert.equal(await numbers(), upTo(3_000));
  assert.is((await ingest()).accepted, 0);
});

const formats = [
  { name: 'gzip', file: 'events.ndjson.gz', bytes: (count: number): Uint8Array => gzipSync(lines(0, count)) },
  {
    name: 'CSV with a header row',
    file: 'events.csv',
    bytes: (count: number): Uint8Array =>
      Buffer.from(
        `n,"a ""name"""\n${upTo(count)
          .map((n) => `${n},"x\ny"\n`)
          .join('')}`,
      ),
  },
  {
    name: 'a JSON list',
    file: 'events.json',
    bytes: (count: number): Uint8Array =>
      Buffer.from(
        JSON.stringify(
          upTo(count).map((n) => ({ n })),
          null,
          1,
        ),
      ),
  },
];
for (const { name, file: named, bytes } of formats) {
  Suite(`goes on in ${name}`, async () => {
    file = join(folder, named);
    writeFileSync(file, bytes(2_000));
    await ingest({ limit: 700 });
    const second = await ingest();
    assert.is(second.accepted, 1_300);
    assert.match(second.resumedFrom ?? '', /^byte [1-9]/);
    assert.equal((await numbers()).map(Number), upTo(2_000));
  });
}

Suite('rejects keep their line numbers after a resume', async () => {
  writeFileSync(file, `${lines(0, 10)}{broken\n${lines(10, 20)}{broken too\n`);
  await ingest({ limit: 15, deadLetters: join(folder, 'letters') });
  await ingest({ deadLetters: join(folder, 'letters') });
  const written = readLetters(join(folder, 'letters'));
  assert.equal(written, [11, 22]);
});

function readLetters(letters: string): number[] {
  const text = readdirTexts(letters).join('');
  return [...text.matchAll(/"line":(\d+)/g)].map((found) => Number(found[1]));
}

function readdirTexts(at: string): string[] {
  return readdirSync(at).map((name) => readFileSync(join(at, name), 'utf8'));
}

Suite('torn at every byte: the copy before is used, and it says so', async () => {
  writeFileSync(file, lines(0, 400));
  await ingest({ limit: 100 });
  const older = readFileSync(checkpoint);
  await ingest();
  const newest = readFileSync(checkpoint);
  const left = 400 - 100;
  for (let bytes = 0; bytes < newest.length; bytes += 1) {
    warnings = [];
    writeFileSync(checkpoint, newest.subarray(0, bytes));
    writeFileSync(`${checkpoint}.previous`, older);
    const { accepted } = await ingest();
    assert.equal([accepted, warnings.length], [left, 1], `cut to ${bytes} bytes: ${warnings.join()}`);
    assert.match(warnings[0]!, /previous copy/);
  }
});

Suite('both copies damaged: it refuses, and takes nothing', async () => {
  writeFileSync(file, lines(0, 10));
  await ingest();
  for (const copy of [checkpoint, `${checkpoint}.previous`]) writeFileSync(copy, 'nonsense');
  assert.is(await codeOf(ingest()), 'MILLRACE_CHECKPOINT');
  assert.is(store.stats().accepted, 10);
});

Suite('what cannot be resumed is refused', async () => {
  assert.is(await codeOf(store.ingest([{ n: 1 }], { checkpoint })), 'MILLRACE_USAGE');
});

Suite('two processes: the second refuses, and the first is not disturbed', async () => {
  await store.close();
  writeFileSync(file, lines(0, 4_000));
  const args = [file, '--to', `embedded:${join(folder, 'store')}`, '--checkpoint', checkpoint];
  const first = ingestProcess([...args, '--max-rate', '2000/s'], folder);
  await waitFor('the first holds it', () => existsSync(checkpoint));
  const second = await ingestProcess(args, folder);
  assert.is(second.code, 1, second.stderr);
  assert.match(second.stderr, /MILLRACE_CHECKPOINT.*held by process/s);
  const done = await first;
  assert.equal([done.code, done.report?.acked], [0, 4_000], done.stderr);
  store = await connect(`embedded:${join(folder, 'store')}`);
  assert.equal(await numbers(), upTo(4_000));
});

// What log rotation and people do to files between two runs; in words of Vector's harness.
Suite('appended: only the new bytes', async () => {
  writeFileSync(file, lines(0, 100));
  await ingest();
  appendFileSync(file, lines(100, 150));
  assert.is((await ingest()).accepted, 50);
  assert.equal(await numbers(), upTo(150));
});

Suite('rotated by rename: the rest of the old file and all of the new one', async () => {
  writeFileSync(file, lines(0, 100));
  await ingest({ limit: 60 });
  renameSync(file, `${file}.1`);
  writeFileSync(file, lines(100, 120));
  const report = await store.ingest([`${file}.1`, file], { checkpoint, id: 'none', format: 'ndjson' });
  assert.is(report.accepted, 60);
  assert.equal(await numbers(), upTo(120));
  assert.equal(warnings, []);
});

Suite('copied and truncated: the new contents from their start, with a warning', async () => {
  writeFileSync(file, lines(0, 100));
  await ingest();
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
  appendFileSync(file, lines(100, 110));
  assert.is((await ingest()).accepted, 10);
  assert.match(warnings.join(), /shorter/);
  appendFileSync(file, lines(110, 115));
  assert.is((await ingest()).accepted, 5);
  assert.equal(await numbers(), upTo(115));
});

Suite('truncated and grown longer than before: noticed by its contents', async () => {
  writeFileSync(file, lines(0, 100));
  await ingest();
  truncateSync(file);
  appendFileSync(file, lines(100, 400));
  assert.is((await ingest()).accepted, 300);
  assert.match(warnings.join(), /something else/);
  assert.equal(await numbers(), upTo(400));
});

Suite('replaced by another file: read from its start', async () => {
  writeFileSync(file, lines(0, 100));
  await ingest();
  writeFileSync(`${file}.new`, lines(100, 250));
  const inode = statSync(file).ino;
  renameSync(`${file}.new`, file);
  assert.is.not(statSync(file).ino, inode);
  assert.is((await ingest()).accepted, 150);
  assert.equal(await numbers(), upTo(250));
});

Suite('a path named twice is read twice, and each goes on by itself', async () => {
  writeFileSync(file, lines(0, 50));
  const twice = (limit?: number): Promise<IngestReport> =>
    store.ingest([file, file], { checkpoint, id: 'none', ...(limit === undefined ? {} : { limit }) });
  assert.is((await twice(70)).accepted, 70);
  assert.is((await twice()).accepted, 30);
  assert.equal(await numbers(), [...upTo(50), ...upTo(50)]);
});

Suite.run();
