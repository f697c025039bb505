/** The ring's state table: each allowed move works, every other throws; sequences wrap; the jumbo slab is one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SlabState, SlabWord } from '../../../src/memory/layout.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { NO_SLOT } from '../../../src/memory/window.ts';

const REQUEST = { slabs: 3, slabBytes: 4_096, workers: 1, eventBytesMax: 8_192, windowBytes: 0 };
const RingSuite = suite('Ring');

type Move = 'dispatch' | 'begin' | 'complete' | 'commit' | 'resume' | 'reclaim' | 'release' | 'abandon';
type StateName = keyof typeof SlabState;
const MOVES: readonly Move[] = ['dispatch', 'begin', 'complete', 'commit', 'resume', 'reclaim', 'release', 'abandon'];
const STATES = Object.keys(SlabState) as StateName[];

/** State after each allowed move; every pair that is not here must throw and change nothing. */
const ALLOWED: { readonly [state in StateName]: { readonly [move in Move]?: StateName } } = {
  free: {},
  filling: { dispatch: 'waiting', abandon: 'free' },
  waiting: { begin: 'working', reclaim: 'waiting' },
  working: { complete: 'ready', reclaim: 'waiting' },
  ready: { commit: 'inFlight', reclaim: 'waiting' },
  inFlight: { resume: 'waiting', release: 'free' },
};
const WAY: { readonly [state in StateName]: readonly Move[] } = {
  free: ['dispatch', 'begin', 'complete', 'commit', 'release'],
  filling: [],
  waiting: ['dispatch'],
  working: ['dispatch', 'begin'],
  ready: ['dispatch', 'begin', 'complete'],
  inFlight: ['dispatch', 'begin', 'complete', 'commit'],
};

function ringIn(state: StateName): { readonly ring: Ring; readonly slab: number } {
  const ring = Ring.create(REQUEST);
  const slab = ring.claim();
  for (const move of WAY[state]) ring[move](slab);
  assert.is(ring.state(slab), SlabState[state]);
  return { ring, slab };
}

for (const state of STATES)
  for (const move of MOVES) {
    const next = ALLOWED[state][move];
    RingSuite(next === undefined ? `refuses ${move} when ${state}` : `goes from ${state} to ${next} by ${move}`, () => {
      const { ring, slab } = ringIn(state);
      if (next === undefined) assert.throws(() => ring[move](slab), /expected/);
      else ring[move](slab);
      assert.is(ring.state(slab), SlabState[next ?? state]);
    });
  }

RingSuite('says -1 when no slab is free, and gives back the one freed last', () => {
  const ring = Ring.create(REQUEST);
  const slabs = [ring.claim(), ring.claim(), ring.claim()];
  assert.equal(new Set(slabs), new Set([0, 1, 2]));
  assert.is(ring.claim(), -1);
  assert.is(ring.freeCount, 0);
  for (const slab of slabs) for (const move of WAY.free) ring[move](slab);
  assert.is(ring.freeCount, 3);
  assert.is(ring.claim(), slabs[2]);
});

RingSuite('counts an epoch for each use of a slab', () => {
  const ring = Ring.create(REQUEST);
  for (let use = 1; use <= 3; use += 1) {
    const slab = ring.claim();
    assert.is(ring.get(slab, SlabWord.epoch), use);
    for (const move of WAY.free) ring[move](slab);
  }
});

RingSuite('gives sequences without gaps, across the wrap of 32 bits', () => {
  const first = 2_147_483_646;
  const ring = Ring.create(REQUEST, first);
  assert.is(ring.settledBelow(), first);
  const seen: number[] = [];
  for (let use = 0; use < 4; use += 1) {
    const slab = ring.claim();
    ring.dispatch(slab);
    seen.push(ring.get(slab, SlabWord.sequence));
    for (const move of WAY.free.slice(1)) ring[move](slab);
    ring.settleBelow(ring.nextSequence);
  }
  assert.equal(seen, [2_147_483_646, 2_147_483_647, -2_147_483_648, -2_147_483_647]);
  assert.is(ring.settledBelow(), -2_147_483_646);
  for (const [index, sequence] of seen.entries()) assert.is((sequence - seen[0]!) | 0, index);
});

RingSuite('has one jumbo slab with a sequence like any other', () => {
  const ring = Ring.create(REQUEST);
  const jumbo = ring.claimJumbo();
  assert.is(jumbo, ring.layout.slabs);
  assert.is(ring.claimJumbo(), -1);
  assert.is(ring.freeCount, 3);
  assert.ok(ring.shape(jumbo).inBytes >= REQUEST.eventBytesMax);
  const slab = ring.claim();
  ring.dispatch(jumbo);
  ring.dispatch(slab);
  assert.is((ring.get(slab, SlabWord.sequence) - ring.get(jumbo, SlabWord.sequence)) | 0, 1);
  for (const move of WAY.free.slice(1)) ring[move](jumbo);
  assert.is(ring.claimJumbo(), jumbo);
  assert.is(ring.freeCount, 2);
});

RingSuite('forgets the claim rows of a settled part before the slab waits again', () => {
  const { ring, slab } = ringIn('inFlight');
  const row = (ring.start(slab) + ring.shape(slab).claimStart) / 4;
  ring.set(slab, SlabWord.claims, 3);
  ring.words[row] = 17;
  ring.resume(slab);
  assert.equal([ring.get(slab, SlabWord.claims), ring.words[row]], [0, NO_SLOT]);
});

RingSuite('is the same memory for whoever attaches, and refuses another', () => {
  const ring = Ring.create(REQUEST);
  const slab = ring.claim();
  ring.dispatch(slab);
  const other = Ring.attach(ring.shared);
  other.begin(slab);
  assert.is(ring.state(slab), SlabState.working);
  ring.words[ring.layout.headerStart / 4] = 0;
  assert.throws(() => Ring.attach(ring.shared));
});

RingSuite.run();
