/** A broken disk loses no letter that counts as safe, and damage to a segment costs the damaged letter only. */
import { closeSync, ftruncateSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { Damage } from '../../../src/resilience/dead-letter-types.ts';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Disk } from './dead-letter-fixtures.ts';
import { allOf, brokenFiles, letter, temporaryFolder } from './dead-letter-fixtures.ts';

const Damaged = timedSuite('damaged dead letters', { timeoutMs: 60_000 });
const LETTERS = 12;

const folder = temporaryFolder();
let path = '';
let whole: Buffer = Buffer.alloc(0);
/** First byte of each line, and the end of the last. */
let borders: number[] = [];
let reader: DeadLetterStore;

Damaged.before(async () => {
  reader = await DeadLetterStore.open(folder.path);
  for (let number = 0; number < LETTERS; number += 1)
    reader.append(letter({ message: `${number}`, raw: Buffer.from(number % 2 === 0 ? 'text\nof two lines' : [0xff, 10, number]) }));
  await reader.close();
  path = join(folder.path, readdirSync(folder.path)[0]!);
  whole = readFileSync(path);
  borders = [0, ...[...whole.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1)];
  assert.is(borders.length, LETTERS + 1);
});
Damaged.after(() => folder.remove());

async function readDamaged(bytes: Uint8Array): Promise<{ readonly numbers: number[]; readonly damage: Damage[] }> {
  writeFileSync(path, bytes);
  const damage: Damage[] = [];
  const letters = await allOf(reader, {}, { onDamage: (one) => damage.push(one) });
  return { numbers: letters.map(({ message }) => Number(message)), damage };
}

const lineOf = (place: number): number => borders.findIndex((start) => start > place) - 1;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

Damaged('lose one letter to a flipped bit at 1,000 random places, and none to one in a line break', async () => {
  const property = fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (place, bit) => {
    const flipped = Buffer.from(whole);
    flipped[place]! ^= 1 << bit;
    const { numbers, damage } = await readDamaged(flipped);
    const lost = whole[place] === 10 ? -1 : lineOf(place);
    assert.equal(
      numbers,
      range(0, LETTERS).filter((number) => number !== lost),
    );
    // Without its break the last line still is whole.
    assert.is(damage.length, 1);
    assert.ok(damage[0]!.byteOffset <= place && place < damage[0]!.byteOffset + damage[0]!.bytes);
  });
  await fc.assert(property, { numRuns: 1_000 });
});

Damaged('lose only what a truncation cut, and say that the tail is torn', async () => {
  for (let length = 0; length <= whole.length; length += 1) {
    const { numbers, damage } = await readDamaged(whole.subarray(0, length));
    const ended = borders.filter((end) => end > 0 && end - 1 <= length).length; // A line without its break is whole.
    assert.equal(numbers, range(0, ended), `cut at ${length}`);
    const torn = length > 0 && !borders.includes(length) && !borders.includes(length + 1);
    assert.equal(
      damage.map((one) => one.torn),
      torn ? [true] : [],
    );
  }
});

Damaged('survive any bytes written over any stretch', async () => {
  const property = fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 600 }), async (place, junk) => {
    const bytes = Buffer.from(whole);
    bytes.set(junk.subarray(0, bytes.length - place), place);
    const end = Math.min(place + junk.length, bytes.length);
    const { numbers } = await readDamaged(bytes);
    const untouched = range(0, LETTERS).filter((number) => borders[number + 1]! <= place || borders[number]! >= end);
    for (const number of untouched) {
      // The line after the stretch is joined to it when the junk ate the break before it.
      if (borders[number] === end && bytes[end - 1] !== 10) continue;
      assert.ok(numbers.includes(number), `letter ${number}`);
    }
  });
  await fc.assert(property, { numRuns: 300 });
});

Damaged('keep a damaged segment when letters of it are purged, until all is purged', async () => {
  const flipped = Buffer.from(whole);
  flipped[borders[3]! + 20]! ^= 1;
  await readDamaged(flipped);
  const [first] = await allOf(reader);
  assert.is(await reader.purge({ ids: new Set([first!.id]) }), 1);
  assert.ok(readFileSync(path).equals(flipped));
  const { letters, damage } = await reader.summary();
  assert.equal([letters, damage.length], [LETTERS - 2, 1]);
  assert.equal([await reader.purge({}), readdirSync(folder.path)], [LETTERS - 2, []]);
});

const faults: readonly { readonly name: string; readonly disk: Disk; readonly says: RegExp }[] = [
  { name: 'is full in the middle of a line', disk: { room: 1_000, failing: 'none', refused: 0 }, says: /ENOSPC/u },
  { name: 'is full from the start', disk: { room: 0, failing: 'none', refused: 0 }, says: /ENOSPC/u },
  { name: 'fails to sync', disk: { room: Infinity, failing: 'sync', refused: 0 }, says: /EIO/u },
  { name: 'refuses the file', disk: { room: Infinity, failing: 'create', refused: 0 }, says: /EACCES/u },
  { name: 'is full and refuses to take back', disk: { room: 1_000, failing: 'truncate', refused: 0 }, says: /ENOSPC/u },
];
for (const { name, disk, says } of faults)
  Damaged(`wait in memory while the disk ${name}, and are written once when it heals`, async () => {
    const { path: at, remove } = temporaryFolder();
    const errors: MillraceError[] = [];
    try {
      const store = await DeadLetterStore.open(at, { files: brokenFiles(disk), onError: (error) => errors.push(error) });
      for (let number = 0; number < 8; number += 1) store.append(letter({ message: `${number}` }));
      await waitFor('the failure', () => errors.length > 0);
      store.append(letter({ message: '8' }));
      for (let turn = 0; turn < 2; turn += 1) {
        const error: unknown = await store.flush().catch((thrown: unknown) => thrown);
        assert.instance(error, MillraceError);
        assert.is((error as MillraceError).code, 'MILLRACE_DEAD_LETTERS');
        assert.match((error as MillraceError).message, says);
      }
      assert.ok(disk.refused >= 3 && store.safeCount < store.count);
      Object.assign(disk, { room: Infinity, failing: 'none' });
      await store.flush();
      assert.is(store.safeCount, 9);
      await store.close();
      const { damage } = await store.summary();
      assert.equal(
        (await allOf(store)).map(({ message }) => Number(message)),
        range(0, 9),
      );
      if (name !== 'is full and refuses to take back') assert.equal(damage, []);
    } finally {
      remove();
    }
  });

Damaged('are counted when they are lost at close', async () => {
  const { path: at, remove } = temporaryFolder();
  try {
    const store = await DeadLetterStore.open(at, { files: brokenFiles({ room: 0, failing: 'none', refused: 0 }) });
    store.append(letter());
    const error: unknown = await store.close().catch((thrown: unknown) => thrown);
    assert.match((error as MillraceError).message, /1 letters could not be written/u);
  } finally {
    remove();
  }
});

Damaged('say nothing of the last line of a living writer', async () => {
  const { path: at, remove } = temporaryFolder();
  try {
    const store = await DeadLetterStore.open(at);
    store.append(letter());
    store.append(letter());
    await store.flush();
    const open = join(at, readdirSync(at)[0]!);
    const file = openSync(open, 'r+');
    ftruncateSync(file, readFileSync(open).length - 10);
    closeSync(file);
    assert.equal(await store.summary(), { letters: 1, segments: 1, damage: [] });
    await store.close();
    assert.is((await store.summary()).damage.length, 1);
  } finally {
    remove();
  }
});

Damaged.run();
