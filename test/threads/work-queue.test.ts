/** The queue under real threads: each slab is run exactly once, whoever sleeps is woken, and a new round sends all home. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { Bell } from '../../src/engine/bell.ts';
import { SlabState, SlabWord } from '../../src/memory/layout.ts';
import { Ring } from '../../src/memory/ring.ts';
import { WorkQueue } from '../../src/memory/work-queue.ts';
import { timedSuite } from '../harness/timeout.ts';
import type { QueueWorkerData } from './work-queue-worker.ts';

const WORKER = new URL('./work-queue-worker.js', import.meta.url);
const THREADS = 3;
const SLABS = 8;
const BURSTS = 30_000;
const WorkQueueThreads = timedSuite('work queue on real threads', { timeoutMs: 30_000 });
const workers: Worker[] = [];

/** Main's side: what it dispatches it commits in sequence, and releases. */
class Bench {
  readonly ring: Ring = Ring.create({ slabs: SLABS, slabBytes: 4_096, workers: THREADS, eventBytesMax: 4_096, windowBytes: 0 });
  readonly queue: WorkQueue = new WorkQueue(this.ring);
  readonly runs: Int32Array = new Int32Array(new SharedArrayBuffer(4 * (SLABS * BURSTS + 1)));
  readonly #told: Bell = new Bell();
  #met = 0;

  async start(): Promise<void> {
    const data: QueueWorkerData = { shared: this.ring.shared, round: this.queue.nextRound(), runs: this.runs };
    for (let thread = 0; thread < THREADS; thread += 1) {
      workers.push(new Worker(WORKER, { workerData: data }));
    }
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    for (const worker of workers) worker.on('message', () => this.#told.ring());
  }

  /** Some slabs at once, then nothing until all are done: the threads fall asleep, or are about to, when the next ones come. */
  async burst(size: number, meeting: boolean): Promise<void> {
    const { ring, queue } = this;
    if (meeting) this.#met += size;
    const slabs = Array.from({ length: size }, () => ring.claim());
    for (const [index, slab] of slabs.entries()) {
      ring.set(slab, SlabWord.recordsLimit, meeting ? this.#met : 0);
      ring.dispatch(slab);
      queue.push(slab);
      if (index % 3 === 1) queue.push(slab); // An entry to pass over, or a slab met by two at once.
    }
    for (const slab of slabs) {
      while (ring.state(slab) !== SlabState.ready) await this.#told.rung();
      ring.commit(slab);
      ring.release(slab);
    }
  }
}

WorkQueueThreads.after(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

async function runAll(bench: Bench): Promise<void> {
  for (let burst = 0; burst < BURSTS; burst += 1) {
    // Every so often as many as there are threads, none of which is done before all are at work.
    if (burst % 5 === 0) await bench.burst(THREADS, true);
    else await bench.burst(1 + ((burst * 7) % SLABS), false);
  }
  bench.queue.nextRound();
}

WorkQueueThreads('runs each sequence once, wakes each sleeper, and sends all home', async () => {
  const bench = new Bench();
  await bench.start();
  const home = workers.map((worker) => once(worker, 'exit')); // Rejects with what a worker throws.
  const [exits] = await Promise.all([Promise.all(home), runAll(bench)]);
  assert.equal(exits, [[0], [0], [0]]);
  const sequences = bench.ring.nextSequence;
  assert.ok(sequences > BURSTS);
  for (let sequence = 0; sequence < sequences; sequence += 1) assert.is(bench.runs[sequence], 1, `sequence ${sequence}`);
  assert.is(bench.ring.freeCount, SLABS);
});

WorkQueueThreads.run();
