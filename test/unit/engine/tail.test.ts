/** What the filler keeps between two slabs: the begun record, the facts of one that is too long; and the bell its waiters share. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Bell } from '../../../src/engine/bell.ts';
import { LongRecord } from '../../../src/engine/long-record.ts';
import { Tail } from '../../../src/engine/tail.ts';
import { timedSuite } from '../../harness/timeout.ts';

const SIZES = [0, 1, 1_023, 1_024, 1_025, 2_050, 2_051, 70_000];
const PREFIX_BYTES = 64 * 1_024;
const NOISE = 0xee;
const TailSuite = timedSuite('Tail, Bell and LongRecord');

/** Bytes none of which is the noise, with two line feeds in a row here and there. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index % 97 < 2 ? 0x0a : (index * 7 + seed) % 200));
}

/** Not by `assert.equal`, which takes minutes to show how large arrays differ. */
function same(found: Uint8Array, wanted: Uint8Array, what: string): void {
  assert.is(found.length, wanted.length, what);
  assert.is(Buffer.compare(found, wanted), 0, what);
}

function kept(tail: Tail, at: number): Uint8Array {
  const target = new Uint8Array(at + tail.length + 5).fill(NOISE);
  tail.putInto(target, at);
  return target;
}

/** The bytes between noise, `at` before them. */
function amidNoise(bytes: Uint8Array, at: number): Uint8Array {
  const memory = new Uint8Array(at + bytes.length + 5).fill(NOISE);
  memory.set(bytes, at);
  return memory;
}

for (const first of SIZES)
  TailSuite(`keeps ${first} bytes, then any other size, and nothing around them`, () => {
    for (const second of SIZES) {
      const tail = new Tail();
      for (const size of [first, second]) {
        const bytes = pattern(size, size + 3);
        const source = amidNoise(bytes, 9);
        tail.keep(source, 9, 9 + size);
        source.fill(NOISE); // The slab goes on to other uses.
        assert.is(tail.length, size);
        for (const at of [0, 11]) same(kept(tail, at), amidNoise(bytes, at), `${size} bytes at ${at}`);
      }
      tail.clear();
      assert.is(tail.length, 0);
      same(kept(tail, 3), amidNoise(new Uint8Array(0), 3), 'cleared');
    }
  });

TailSuite('one promise for all who wait, resolved by one ring', async () => {
  const bell = new Bell();
  const first = bell.rung();
  assert.is(bell.rung(), first);
  bell.ring();
  await first;
});

TailSuite('a ring is for those who wait, not for those who ask later', async () => {
  const bell = new Bell();
  bell.ring();
  const first = bell.rung();
  bell.ring();
  bell.ring();
  const second = bell.rung();
  assert.is.not(second, first);
  assert.is(await Promise.race([second.then(() => 'second'), first.then(() => 'first')]), 'first');
  bell.ring();
  await second;
});

TailSuite('a long record is the same wherever its pieces are cut', () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 2 * PREFIX_BYTES }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: PREFIX_BYTES, max: 2 * PREFIX_BYTES }), fc.nat(50), cuts, (length, at, places) => {
      const record = pattern(length, at);
      const memory = amidNoise(record, at);
      const borders = [0, ...places.map((place) => Math.min(place, length)).toSorted((left, right) => left - right), length];
      const long = new LongRecord();
      for (const [index, border] of borders.slice(1).entries()) long.add(memory, at + borders[index]!, at + border);
      assert.is(long.lines, record.filter((byte) => byte === 0x0a).length);
      const { prefix, ...facts } = long.seen();
      assert.equal(facts, { length, sha256: createHash('sha256').update(record).digest('hex') });
      same(prefix, record.subarray(0, PREFIX_BYTES), 'prefix');
    }),
    { numRuns: 40 },
  );
});

TailSuite('a long record does not change with the memory it passed through', () => {
  const memory = pattern(PREFIX_BYTES, 1);
  const want = memory.slice();
  const long = new LongRecord();
  long.add(memory, 0, memory.length);
  memory.fill(NOISE);
  same(long.seen().prefix, want, 'prefix');
});

TailSuite.run();
