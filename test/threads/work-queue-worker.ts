/** A real thread that serves one round of the queue, and counts in shared memory what it ran. */
import { strict as assert } from 'node:assert';
import { isMainThread, parentPort, threadId, workerData } from 'node:worker_threads';
import { SlabWord } from '../../src/memory/layout.ts';
import { Ring } from '../../src/memory/ring.ts';
import type { SharedRing } from '../../src/memory/ring.ts';
import { WorkQueue } from '../../src/memory/work-queue.ts';

export interface QueueWorkerData {
  readonly shared: SharedRing;
  readonly round: number;
  /** How often each sequence was run; behind them, how many threads have come to a meeting. */
  readonly runs: Int32Array;
}

/** Holds the thread until so many have come, in all meetings so far: only threads that are all awake get past it. */
function meet(runs: Int32Array, goal: number): void {
  const at = runs.length - 1;
  let come = Atomics.add(runs, at, 1) + 1;
  Atomics.notify(runs, at);
  for (; come < goal; come = Atomics.load(runs, at)) Atomics.wait(runs, at, come); // Pairs with the notify of those who come later.
}

async function serve({ shared, round, runs }: QueueWorkerData, tell: (said: string) => void): Promise<void> {
  const ring = Ring.attach(shared);
  const queue = new WorkQueue(ring);
  tell('begun');
  while (queue.round === round) {
    const { bell } = queue;
    const slab = queue.take(threadId);
    if (slab < 0) {
      await queue.whenRung(bell);
      continue;
    }
    Atomics.add(runs, ring.get(slab, SlabWord.sequence), 1);
    meetIfAsked(ring, slab, runs);
    assert.equal(ring.holder(slab), threadId);
    ring.complete(slab);
    tell('ready');
  }
}

function meetIfAsked(ring: Ring, slab: number, runs: Int32Array): void {
  const goal = ring.get(slab, SlabWord.recordsLimit);
  if (goal > 0) meet(runs, goal);
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on('message', () => undefined); // Sleeping on a word alone does not keep a thread.
  await serve(workerData as QueueWorkerData, (said) => port.postMessage(said));
  port.close();
}
