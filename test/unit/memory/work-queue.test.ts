/** The queue of waiting slabs, one thread: order, entries passed over, the wrap of its indexes, and the bell that no sleeper may miss. */
import { setImmediate as turn } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { HeaderWord, QUEUE_ENTRIES } from '../../../src/memory/header-page.ts';
import { SlabState } from '../../../src/memory/layout.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { WorkQueue } from '../../../src/memory/work-queue.ts';
import { timedSuite } from '../../harness/timeout.ts';

const SLABS = 3;
const REQUEST = { slabs: SLABS, slabBytes: 4_096, workers: 1, eventBytesMax: 4_096, windowBytes: 0 };
const THREAD = 7;
const WorkQueueSuite = timedSuite('WorkQueue');

interface Bench {
  readonly ring: Ring;
  readonly queue: WorkQueue;
  /** Slabs that wait, in the order of their dispatch; none is in the queue yet. */
  readonly slabs: readonly number[];
}

function makeBench(firstIndex = 0): Bench {
  const ring = Ring.create(REQUEST);
  for (const word of [HeaderWord.queueHead, HeaderWord.queueTail]) ring.words[ring.layout.headerStart / 4 + word] = firstIndex;
  const slabs = Array.from({ length: SLABS }, () => ring.claim());
  for (const slab of slabs) ring.dispatch(slab);
  return { ring, queue: new WorkQueue(ring), slabs };
}

/** All that can be taken. */
function takeAll(queue: WorkQueue): number[] {
  const taken: number[] = [];
  for (let slab = queue.take(THREAD); slab >= 0; slab = queue.take(THREAD)) taken.push(slab);
  return taken;
}

/** Whether it has resolved, now and after some turns of the event loop. */
async function watch(promise: Promise<void>): Promise<() => Promise<boolean>> {
  let over = false;
  void promise.then(() => (over = true));
  return async () => {
    for (let turns = 0; turns < 10; turns += 1) await turn();
    return over;
  };
}

WorkQueueSuite('gives the oldest first, at work and with its thread, then -1', () => {
  const { ring, queue, slabs } = makeBench();
  const order = slabs.toReversed();
  for (const slab of order) queue.push(slab);
  for (const [index, slab] of order.entries()) {
    assert.is(queue.take(THREAD + index), slab);
    assert.is(ring.state(slab), SlabState.working);
    assert.is(ring.holder(slab), THREAD + index);
  }
  assert.is(queue.take(THREAD), -1);
});

WorkQueueSuite('passes over a slab that does not wait any more', () => {
  const { ring, queue, slabs } = makeBench();
  for (const slab of slabs) queue.push(slab);
  ring.begin(slabs[0]!);
  ring.begin(slabs[1]!);
  ring.complete(slabs[1]!);
  assert.equal(takeAll(queue), [slabs[2]]);
});

WorkQueueSuite('gives a slab that was pushed twice once, and leaves its thread alone after that', () => {
  const { ring, queue, slabs } = makeBench();
  const [first, second] = slabs as [number, number];
  for (const slab of [first, first, second, first]) queue.push(slab);
  assert.is(queue.take(THREAD), first);
  assert.is(queue.take(THREAD + 1), second);
  assert.is(queue.take(THREAD + 2), -1);
  assert.is(ring.holder(first), THREAD);
});

WorkQueueSuite('forgets what waits by `clear`, not what is pushed after it', () => {
  const { ring, queue, slabs } = makeBench();
  for (const slab of slabs) queue.push(slab);
  queue.clear();
  assert.is(queue.take(THREAD), -1);
  for (const slab of slabs) assert.is(ring.state(slab), SlabState.waiting);
  queue.push(slabs[1]!);
  assert.equal(takeAll(queue), [slabs[1]]);
});

for (const { name, first, uses } of [
  { name: 'of its entries', first: 0, uses: 2 * QUEUE_ENTRIES + 5 },
  { name: 'of 32 bits', first: 2 ** 31 - 4, uses: 8 },
])
  WorkQueueSuite(`keeps its order across the wrap ${name}`, () => {
    const { ring, queue, slabs } = makeBench(first);
    queue.push(slabs[0]!);
    for (let use = 0; use < uses; use += 1) {
      queue.push(slabs[(use + 1) % SLABS]!); // Two wait at any time.
      const slab = queue.take(THREAD);
      assert.is(slab, slabs[use % SLABS]);
      ring.reclaim(slab);
    }
    assert.equal(takeAll(queue), [slabs[uses % SLABS]]);
  });

for (const first of [0, 5, 2 ** 31 - 4])
  WorkQueueSuite(`is full when each entry is in use, from index ${first}`, () => {
    const { queue, slabs } = makeBench(first);
    for (let entry = 0; entry < QUEUE_ENTRIES; entry += 1) {
      assert.not(queue.full);
      queue.push(slabs[entry === 0 ? 0 : 1]!);
    }
    assert.ok(queue.full);
    assert.is(queue.take(THREAD), slabs[0], 'the oldest is still there');
    assert.not(queue.full);
    queue.push(slabs[2]!);
    assert.ok(queue.full);
    queue.clear();
    assert.not(queue.full);
  });

WorkQueueSuite('counts rounds, seen by whoever attaches', () => {
  const { ring, queue } = makeBench();
  const other = new WorkQueue(Ring.attach(ring.shared));
  const before = queue.round;
  const round = queue.nextRound();
  assert.is.not(round, before);
  assert.equal([queue.round, other.round], [round, round]);
  assert.is.not(other.nextRound(), round);
});

for (const { name, ring } of [
  { name: 'push', ring: ({ queue, slabs }: Bench): unknown => queue.push(slabs[0]!) },
  { name: 'nextRound', ring: ({ queue }: Bench): unknown => queue.nextRound() },
]) {
  WorkQueueSuite(`does not sleep when ${name} came after the bell was read`, async () => {
    const bench = makeBench();
    const { bell } = bench.queue;
    assert.is(bench.queue.take(THREAD), -1);
    ring(bench);
    await bench.queue.whenRung(bell);
  });

  WorkQueueSuite(`sleeps until ${name}`, async () => {
    const bench = makeBench();
    const rung = bench.queue.whenRung(bench.queue.bell);
    const over = await watch(rung);
    bench.queue.clear(); // Wakes nobody.
    assert.not(await over());
    ring(bench);
    await rung;
  });
}

WorkQueueSuite('wakes one sleeper by a slab, and all by a round', async () => {
  const { queue, slabs } = makeBench();
  const sleepers = [0, 1, 2].map(() => queue.whenRung(queue.bell));
  const over = await Promise.all(sleepers.map(watch));
  queue.push(slabs[0]!);
  await Promise.race(sleepers);
  assert.is((await Promise.all(over.map((ask) => ask()))).filter(Boolean).length, 1);
  queue.nextRound();
  await Promise.all(sleepers);
});

WorkQueueSuite.run();
