/** The dedupe window, one thread: claims, commits by watermark, roll-backs, conflicts, room and generations, by table and against a simple reference. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawLayout } from '../../../src/memory/layout.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { CLAIM_FRESH, CLAIM_FULL, CLAIM_KNOWN, CLAIM_PENDING, DedupeWindow, windowBytes } from '../../../src/memory/window.ts';
import { ReferenceWindow } from './reference-window.ts';

const NAMES = ['fresh', 'known', 'pending', 'full'] as const;
const WINDOW_MS = 1_000;
const WindowSuite = suite('DedupeWindow');

class Bench {
  readonly ring: Ring;
  readonly window: DedupeWindow;
  readonly log: number;

  constructor({ capacity = 64, first = 0 }: { readonly capacity?: number; readonly first?: number } = {}) {
    this.ring = Ring.create({ slabs: 2, slabBytes: 4_096, workers: 1, eventBytesMax: 4_096, windowBytes: windowBytes(capacity) }, first);
    this.window = new DedupeWindow(this.ring, capacity);
    this.window.format({ windowMs: WINDOW_MS, nowMs: 0 });
    this.log = (this.ring.start(0) + this.ring.shape(0).claimStart) / 4;
  }

  claim(id: number, owner: number, body = 0): string {
    return NAMES[this.window.claim(printOf(id), body, owner, this.log)]!;
  }

  /** Slot of the last claim. */
  get slot(): number {
    return this.ring.words[this.log]!;
  }
}

/** Ids in threes share place and tag, so that only the words after the meta word tell them apart. */
function printOf(id: number): Uint32Array {
  const group = Math.floor(id / 3);
  return Uint32Array.of(Math.imul(group + 1, 0x9e3779b1), id, Math.imul(id, 0x85ebca6b), 0xffffffff - id);
}

WindowSuite('numbers its results as its constants say', () => {
  assert.equal([CLAIM_FRESH, CLAIM_KNOWN, CLAIM_PENDING, CLAIM_FULL], [0, 1, 2, 3]);
});

WindowSuite('is pending until its owner is below the watermark, then known', () => {
  const bench = new Bench();
  assert.is(bench.claim(1, 5), 'fresh');
  assert.is(bench.claim(1, 5), 'pending', 'its own slab too');
  assert.is(bench.claim(1, 6), 'pending');
  assert.is(bench.window.lastOwner, 5);
  bench.ring.settleBelow(5);
  assert.is(bench.claim(1, 6), 'pending');
  bench.ring.settleBelow(6);
  assert.is(bench.claim(1, 6), 'known');
  assert.is(bench.claim(2, 6), 'fresh');
});

WindowSuite('compares owners by difference across the wrap', () => {
  const bench = new Bench({ first: 0x7fff_fffe });
  const owners = [0x7fff_fffe, 0x7fff_ffff, -0x8000_0000];
  for (const [id, owner] of owners.entries()) assert.is(bench.claim(id, owner), 'fresh');
  bench.ring.settleBelow(-0x8000_0000);
  assert.equal(
    owners.map((_, id) => bench.claim(id, 7)),
    ['known', 'known', 'pending'],
  );
  bench.ring.settleBelow(-0x7fff_ffff);
  assert.is(bench.claim(2, 7), 'known');
});

WindowSuite('says when one id has two bodies', () => {
  const bench = new Bench();
  const conflicts = [
    [1, 10],
    [1, 10],
    [1, 11],
    [2, 11],
    [2, 0xffff_ffff],
    [2, 11],
  ].map(([id, body]) => {
    bench.claim(id!, 1, body!);
    return bench.window.lastConflict;
  });
  assert.equal(conflicts, [false, false, true, false, true, false]);
});

WindowSuite('rolls back only what still belongs to the owner, and lets another take it', () => {
  const bench = new Bench();
  bench.claim(1, 5);
  const { slot } = bench;
  assert.is(bench.window.rollBack(slot, 6), false);
  assert.is(bench.window.rollBack(slot, 5), true);
  assert.is(bench.window.rollBack(slot, 5), false);
  assert.is(bench.claim(1, 6), 'fresh');
  assert.is(bench.slot, slot, 'a rolled-back id comes back to its place');
  assert.is(bench.window.rollBack(slot, 5), false);
  assert.is(bench.claim(1, 7), 'pending');
  for (const wrong of [-1, 1_000_000, 2 ** 31, Number.NaN]) assert.is(bench.window.rollBack(wrong, 6), false);
});

WindowSuite('keeps ids behind a rolled-back one in reach', () => {
  const bench = new Bench();
  const slots = [0, 1, 2].map((id) => (bench.claim(id, 1), bench.slot)); // One chain.
  bench.window.rollBack(slots[0]!, 1);
  assert.equal(
    [1, 2].map((id) => bench.claim(id, 2)),
    ['pending', 'pending'],
  );
});

WindowSuite('remembers for at least the window and at most two of them', () => {
  const bench = new Bench();
  bench.claim(1, 1);
  bench.ring.settleBelow(2);
  assert.is(bench.window.rotate(WINDOW_MS - 1), false);
  assert.is(bench.window.rotate(WINDOW_MS), true);
  assert.is(bench.claim(1, 3), 'known', 'in the previous generation');
  bench.claim(2, 3);
  assert.is(bench.window.rotate(2 * WINDOW_MS), true);
  assert.is(bench.claim(1, 3), 'fresh', 'forgotten');
  assert.is(bench.claim(2, 4), 'pending');
  assert.is(bench.window.stats(2 * WINDOW_MS).earlyRotations, 0);
  assert.is(bench.window.stats(2 * WINDOW_MS).effectiveMs, WINDOW_MS);
});

WindowSuite('does not rotate while it is empty', () => {
  const bench = new Bench();
  for (let now = 0; now < 10 * WINDOW_MS; now += 100) assert.is(bench.window.rotate(now), false);
});

WindowSuite('holds its capacity; then the oldest generation goes early, and the window says how far back it reaches', () => {
  const bench = new Bench({ capacity: 64 });
  const rotations: number[] = [];
  for (let id = 0; id < 96; id += 1) {
    assert.is(bench.claim(id, id), 'fresh');
    if (bench.window.rotate(id)) rotations.push(id);
    if (id === 63) {
      assert.is(bench.window.stats(id).earlyRotations, 1, 'the 64th id filled both');
      assert.is(bench.window.stats(id).effectiveMs, 32, 'ids since the first rotation');
    }
  }
  assert.equal(rotations, [31, 63, 95]);
  assert.is(bench.claim(95, 200), 'pending');
  assert.is(bench.claim(64, 200), 'pending');
  assert.is(bench.claim(63, 200), 'fresh');
  assert.is(bench.window.stats(95).effectiveMs, 32);
  assert.is(bench.window.stats(95).ids, 33);
  assert.is(bench.window.stats(95).earlyRotations, 2);
  assert.is(bench.window.stats(95).bytes, windowBytes(64));
});

WindowSuite('lets events through unclaimed when main does not rotate, then makes room', () => {
  const bench = new Bench({ capacity: 16 });
  const results = Array.from({ length: 30 }, (_, id) => bench.claim(id, 1));
  const full = results.filter((result) => result === 'full').length;
  assert.ok(full > 0 && results.lastIndexOf('fresh') < results.indexOf('full'));
  assert.is(bench.window.unclaimed, full);
  assert.is(bench.claim(0, 2), 'pending', 'a full table still knows its ids');
  assert.is(bench.window.rotate(1), true);
  assert.is(bench.claim(29, 2), 'fresh');
});

WindowSuite('keeps nothing alive through hundreds of generations of the same table', () => {
  const bench = new Bench({ capacity: 1_024 });
  bench.claim(7, 1);
  for (let generation = 1; generation <= 1_100; generation += 1) {
    assert.is(bench.claim(10_000 + generation, 1), 'fresh', `generation ${generation}`);
    assert.is(bench.window.rotate(generation * WINDOW_MS), true);
    if (generation >= 2) assert.ok(bench.window.stats(generation * WINDOW_MS).ids <= 2);
  }
  assert.is(bench.claim(7, 2), 'fresh');
});

WindowSuite('puts recovered ids in as committed, over pending claims too', () => {
  const bench = new Bench();
  assert.ok(bench.window.insert(printOf(1), 4));
  assert.is(bench.claim(1, 0, 4), 'known');
  assert.is(bench.claim(2, 9), 'fresh');
  const { slot } = bench;
  assert.ok(bench.window.insert(printOf(2), 0));
  assert.is(bench.window.rollBack(slot, 9), false, "no longer the owner's");
  assert.is(bench.claim(2, 9), 'known');
});

WindowSuite('has a secret of its own each time', () => {
  const keys = [new Bench(), new Bench()].map(({ window }) => [...window.key].join());
  assert.is(keys[0]!.split(',').length, 4);
  assert.is.not(keys[0], keys[1]);
});

WindowSuite('is refused where it does not fit', () => {
  const ring = Ring.create({ slabs: 2, slabBytes: 4_096, workers: 1, eventBytesMax: 4_096, windowBytes: windowBytes(64) });
  assert.throws(() => new DedupeWindow(ring, 65_536), /window size/);
  assert.throws(() => windowBytes(0), /window capacity/);
  assert.throws(() => windowBytes(2 ** 31), /window capacity/);
  assert.ok(
    drawLayout({ slabs: 2, slabBytes: 4_096, workers: 1, eventBytesMax: 4_096, windowBytes: windowBytes(100_000_000) }).bytes > 2 ** 31,
  );
});

const command = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('claim' as const), id: fc.nat(35), owner: fc.nat(4), body: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle' as const), id: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollBack' as const), id: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate' as const), id: fc.nat(700) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), id: fc.nat(35) }) },
);

WindowSuite('does as the reference does, whatever comes, also across the wrap of sequences', () => {
  const property = fc.property(fc.constantFrom(0, 0x7fff_fff8), fc.array(command, { maxLength: 150 }), (first, commands) => {
    const bench = new Bench({ capacity: 64, first });
    const reference = new ReferenceWindow({ capacity: 64, windowMs: WINDOW_MS, first });
    const logs = new Map<number, number[]>();
    let now = 0;
    for (const step of commands) {
      const said = `${JSON.stringify(step)} at ${now}`;
      if (step.kind === 'claim') {
        const owner = (reference.settled + step.owner) | 0;
        const expected = reference.claim(step.id, step.body, owner);
        assert.is(bench.claim(step.id, owner, step.body), expected.result, said);
        if (expected.result === 'fresh') logs.set(owner, [...(logs.get(owner) ?? []), bench.slot]);
        else assert.equal([bench.window.lastOwner, bench.window.lastConflict], [expected.owner, expected.conflict], said);
      } else if (step.kind === 'settle') {
        reference.settled = (reference.settled + step.id) | 0;
        bench.ring.settleBelow(reference.settled);
      } else if (step.kind === 'rollBack') {
        const owner = (reference.settled + step.id) | 0;
        const freed = (logs.get(owner) ?? []).filter((slot) => bench.window.rollBack(slot, owner)).length;
        assert.ok(freed >= reference.rollBack(owner), said);
        logs.delete(owner);
      } else if (step.kind === 'insert') {
        reference.insert(step.id, 0);
        bench.window.insert(printOf(step.id), 0);
      } else {
        now += step.id;
        assert.is(bench.window.rotate(now), reference.rotate(now), said);
      }
      const { ids, effectiveMs, earlyRotations } = bench.window.stats(now);
      assert.equal({ ids, effectiveMs, earlyRotations }, reference.stats(now), said);
    }
  });
  fc.assert(property, { numRuns: 400 });
});

WindowSuite.run();
