/** The dedupe window under real threads: each id is fresh exactly once, and what a dead worker claimed is free again. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { CLAIM_WORDS, SlabWord } from '../../src/memory/layout.ts';
import { Ring } from '../../src/memory/ring.ts';
import { CLAIM_FRESH, DedupeWindow, windowBytes } from '../../src/memory/window.ts';
import { timedSuite } from '../harness/timeout.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { ClaimerData, ClaimerReport } from './window-claimer.ts';
import { writePrint } from './window-claimer.ts';

const CLAIMER = new URL('./window-claimer.js', import.meta.url);
const WindowThreads = timedSuite('window on real threads', { timeoutMs: 60_000 });

interface Bench {
  readonly ring: Ring;
  readonly window: DedupeWindow;
  readonly capacity: number;
}

function makeBench(capacity: number): Bench {
  const ring = Ring.create({ slabs: 4, slabBytes: 1_024 * 1_024, workers: 4, eventBytesMax: 4_096, windowBytes: windowBytes(capacity) });
  const window = new DedupeWindow(ring, capacity);
  window.format({ windowMs: 1_000_000, nowMs: 0 });
  return { ring, window, capacity };
}

/** Slab 0 holds the start signal; claimers use the slabs from 1. */
async function startClaimers(
  { ring, capacity }: Bench,
  each: readonly Omit<ClaimerData, 'shared' | 'capacity' | 'slab'>[],
): Promise<Worker[]> {
  const workers = each.map(
    (data, index) => new Worker(CLAIMER, { workerData: { ...data, shared: ring.shared, capacity, slab: index + 1 } satisfies ClaimerData }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return workers;
}

function go({ ring }: Bench): void {
  const at = ring.start(0) / 4 + SlabWord.heartbeat;
  Atomics.store(ring.words, at, 1);
  Atomics.notify(ring.words, at); // Pairs with the wait of the claimers.
}

async function reportOf(worker: Worker): Promise<ClaimerReport> {
  const [report] = (await once(worker, 'message')) as [ClaimerReport];
  return report;
}

for (const { name, ids, capacity, rotate } of [
  { name: 'roomy', ids: 50_000, capacity: 200_000, rotate: false },
  { name: 'tight', ids: 50_000, capacity: 100_002, rotate: false },
  { name: 'rotated once in the middle', ids: 50_000, capacity: 400_000, rotate: true },
])
  WindowThreads(`gives each id of three overlapping sets to exactly one thread (${name})`, async () => {
    const bench = makeBench(capacity);
    const strides = [1, 7, 1].map((stride) => ({ ids, stride, forEver: false }));
    const workers = await startClaimers(
      bench,
      strides.map((data, index) => ({ ...data, owner: index * 2 + 1 })),
    );
    const reports = workers.map(reportOf);
    go(bench);
    if (rotate) {
      // Of any: one thread may begin when the others have taken everything.
      await waitFor('claims', () => workers.some((_, index) => bench.ring.get(index + 1, SlabWord.claims) > ids / 20));
      assert.ok(bench.window.rotate(1_000_000));
    }
    const all = await Promise.all(reports);
    for (let id = 0; id < ids; id += 1) {
      const times = all.reduce((sum, report) => sum + report.fresh[id]!, 0);
      if (times !== 1) assert.unreachable(`id ${id} was fresh ${times} times`);
    }
    assert.is(
      all.reduce((sum, report) => sum + report.full + report.known, 0),
      0,
    );
    assert.is(
      all.reduce((sum, report) => sum + report.pending, 0),
      2 * ids,
    );
  });

WindowThreads('frees by the log all that a terminated worker claimed, and nothing of its neighbour', async () => {
  const ids = 60_000;
  for (let round = 0; round < 8; round += 1) {
    const bench = makeBench(400_000);
    const { ring, window } = bench;
    const [dead, neighbour] = (await startClaimers(bench, [
      { ids, stride: 1, forEver: true, owner: 1 },
      { ids, stride: 7, forEver: false, owner: 2 },
    ])) as [Worker, Worker];
    const report = reportOf(neighbour);
    go(bench);
    // Or it came so late that its neighbour has taken most, and is through.
    await waitFor('claims', () => ring.get(1, SlabWord.claims) > round * 1_000 || ring.get(1, SlabWord.suspect) > 0);
    await dead.terminate();
    const { fresh } = await report;
    const log = (ring.start(1) + ring.shape(1).claimStart) / 4;
    const claims = ring.get(1, SlabWord.claims);
    let freed = 0;
    for (let row = 0; row <= claims; row += 1) if (window.rollBack(ring.words[log + row * CLAIM_WORDS]!, 1)) freed += 1;
    assert.ok(freed === claims || freed === claims + 1, `${freed} freed of ${claims} claims`);
    const print = new Uint32Array(4);
    const scratch = (ring.start(3) + ring.shape(3).claimStart) / 4;
    for (let id = 0; id < ids; id += 1) {
      writePrint(print, id);
      const again = window.claim(print, 0, 9, scratch) === CLAIM_FRESH;
      if (again === (fresh[id] === 1))
        assert.unreachable(`id ${id}: ${again ? 'taken from the neighbour' : `held by ${window.lastOwner}`}`);
    }
  }
});

WindowThreads.run();
