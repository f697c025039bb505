/** A checkpoint is never believed when it is damaged, never used by two, and never skips what is not done. */
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { FileSource } from '../../../src/engine/source-file.ts';
import { openSource } from '../../../src/engine/source-open.ts';
import type { ByteSource } from '../../../src/engine/source-types.ts';
import { encodeLine } from '../../../src/resilience/checked-line.ts';
import type { CheckpointEntry } from '../../../src/resilience/checkpoint.ts';
import { Checkpoint } from '../../../src/resilience/checkpoint.ts';
import { processPlace } from '../../../src/resilience/process-place.ts';
import { identityOfGeneration, resumePoint } from '../../../src/resilience/resume-point.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { brokenFiles } from './dead-letter-fixtures.ts';

const Checkpoints = timedSuite('checkpoint');
const folder = mkdtempSync(join(tmpdir(), 'millrace-checkpoint-'));
Checkpoints.after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'positions');
Checkpoints.before.each(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

const entry = (position: number, change: Partial<CheckpointEntry> = {}): CheckpointEntry => ({
  identity: 'ab',
  generation: 0,
  position,
  lines: position / 10,
  bytesTotal: 1_000,
  hashBefore: null,
  sequence: null,
  ...change,
});

async function failure(work: () => Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await work().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, MillraceError);
  assert.is((error as MillraceError).code, 'MILLRACE_CHECKPOINT');
  return error as MillraceError;
}

/** Two saves, so that there are two copies: 100 in the previous one, 200 in the newest. */
async function saveTwice(): Promise<void> {
  const checkpoint = await Checkpoint.open(path);
  for (const position of [100, 200]) {
    checkpoint.set('a|b', entry(position));
    await checkpoint.save();
  }
  await checkpoint.close();
  await checkpoint.close();
}

async function reopened(): Promise<{ readonly position: number | undefined; readonly warnings: string[] }> {
  const warnings: string[] = [];
  const checkpoint = await Checkpoint.open(path, { onWarning: (message) => warnings.push(message) });
  const position = checkpoint.get('a|b')?.position;
  await checkpoint.close();
  return { position, warnings };
}

Checkpoints('starts empty, and is found again', async () => {
  const first = await Checkpoint.open(path);
  assert.is(first.get('a|b'), null);
  await first.close();
  assert.equal(readdirSync(folder), []);
  await saveTwice();
  assert.equal(await reopened(), { position: 200, warnings: [] });
  assert.equal(readdirSync(folder), ['positions', 'positions.previous']);
});

Checkpoints('uses the previous copy, and says so, when the newest is cut anywhere or has any bit flipped', async () => {
  await saveTwice();
  const whole = readFileSync(path);
  const property = fc.asyncProperty(fc.nat(whole.length - 1), fc.option(fc.nat(7)), async (place, bit) => {
    const damaged = Buffer.from(bit === null ? whole.subarray(0, place) : whole);
    if (bit !== null) damaged[place]! ^= 1 << bit;
    writeFileSync(path, damaged);
    const { position, warnings } = await reopened();
    assert.equal([position, warnings.length], [100, 1]);
  });
  await fc.assert(property, { numRuns: 300 });
});

Checkpoints('does not trust a newer version, nor a crash between the renames', async () => {
  await saveTwice();
  writeFileSync(path, encodeLine({ version: 2, entries: {} }));
  const newer = await reopened();
  assert.is(newer.position, 100);
  assert.match(newer.warnings[0]!, /has version 2/u);
  rmSync(path);
  writeFileSync(`${path}.tmp`, 'half');
  assert.match((await reopened()).warnings[0]!, /is missing/u);
});

Checkpoints('fails when no copy is good, and never starts anew by itself', async () => {
  await saveTwice();
  writeFileSync(path, '');
  writeFileSync(`${path}.previous`, 'x');
  assert.match((await failure(() => Checkpoint.open(path))).message, /it is empty, and the previous copy is damaged; remove both/u);
  rmSync(`${path}.previous`);
  assert.match((await failure(() => Checkpoint.open(path))).message, /there is no previous copy/u);
});

Checkpoints('keeps the good copy while the newest is a damaged one', async () => {
  await saveTwice();
  truncateSync(path, 10);
  const checkpoint = await Checkpoint.open(path);
  checkpoint.set('a|b', entry(300));
  await checkpoint.close();
  assert.match(readFileSync(`${path}.previous`, 'utf8'), /"position":100/u);
  assert.equal(await reopened(), { position: 300, warnings: [] });
});

Checkpoints('belongs to one process at a time', async () => {
  const first = await Checkpoint.open(path);
  assert.match((await failure(() => Checkpoint.open(path))).message, new RegExp(`held by process ${process.pid}`, 'u'));
  await first.close();
  await (await Checkpoint.open(path)).close();
  writeFileSync(`${path}.lock`, `${processPlace} 99999999 x\n`);
  await (await Checkpoint.open(path)).close();
  assert.equal(readdirSync(folder), []);
});

Checkpoints('keeps the old position on a full disk, and saves when there is room', async () => {
  await saveTwice();
  const disk = { room: 20, failing: 'none' as const, refused: 0 };
  const checkpoint = await Checkpoint.open(path, { files: brokenFiles(disk) });
  checkpoint.set('a|b', entry(300));
  assert.match((await failure(() => checkpoint.save())).message, /ENOSPC/u);
  assert.match(readFileSync(path, 'utf8'), /"position":200/u);
  disk.room = 10_000;
  await checkpoint.close();
  assert.equal([disk.refused, await reopened()], [1, { position: 300, warnings: [] }]);
});

const file = (): string => join(folder, 'a.ndjson');
const changes: readonly {
  readonly name: string;
  readonly change: () => void;
  readonly position: number;
  readonly generation: number;
  readonly reason: string;
}[] = [
  { name: 'goes on in the same file', change: () => undefined, position: 2_000, generation: 3, reason: 'resumed' },
  { name: 'goes on in a file that grew', change: () => appendFileSync(file(), 'new'), position: 2_000, generation: 3, reason: 'resumed' },
  { name: 'starts anew in a shorter file', change: () => truncateSync(file(), 1_999), position: 0, generation: 4, reason: 'shorter' },
  {
    name: 'starts anew in a file with other contents',
    change: () => writeFileSync(file(), 'z'.repeat(5_000)),
    position: 0,
    generation: 4,
    reason: 'changed',
  },
  {
    name: 'starts anew in a file that replaced it',
    change: () => (writeFileSync(join(folder, 'b'), 'a'.repeat(3_000)), renameSync(join(folder, 'b'), file())),
    position: 0,
    generation: 0,
    reason: 'replaced',
  },
];
for (const { name, change, position, generation, reason } of changes)
  Checkpoints(name, async () => {
    writeFileSync(file(), 'a'.repeat(3_000));
    const before = await FileSource.open(file());
    const made = entry(2_000, { identity: before.identity, generation: 3, hashBefore: await before.hashBefore(2_000) });
    await before.close();
    change();
    const after = await FileSource.open(file());
    const point = await resumePoint(made, after);
    await after.close();
    assert.equal([point.position, point.generation, point.reason, point.lines], [position, generation, reason, position / 10]);
  });

Checkpoints('gives each generation an identity of its own', () => {
  const identities = [0, 1, 2].map((generation) => identityOfGeneration('ab'.repeat(16), generation));
  assert.equal([identities[0], new Set(identities).size, identities[2]!.length], ['ab'.repeat(16), 3, 32]);
});

Checkpoints('begins a plain and a packed file at any byte', async () => {
  const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 7) >> 3));
  writeFileSync(file(), bytes);
  writeFileSync(`${file()}.gz`, gzipSync(bytes));
  for (const name of [file(), `${file()}.gz`])
    for (const from of [0, 1, 262_144, 699_999, 700_000]) {
      const source = (await openSource(name, { from })) as ByteSource;
      const target = new Uint8Array(100);
      const read = await source.read(target);
      await source.close();
      assert.ok(bytes.subarray(from, from + read).equals(target.subarray(0, read)) && (read > 0 || from === 700_000));
    }
  for (const name of [file(), `${file()}.gz`]) {
    const error: unknown = await openSource(name, { from: 700_010 }).catch((thrown: unknown) => thrown);
    assert.match((error as Error).message, /it has no byte 700010: it ends 10 B before/u);
  }
});

Checkpoints.run();
