/** A thread that says when to publish, at a fixed rate whatever the publisher does: latency counts from the moment it was due. */
import { parentPort, workerData } from 'node:worker_threads';

/** One rate after the other; a phase begins when the last publish of the one before was due. */
export type LoadPlan = readonly LoadPhase[];

export interface LoadPhase {
  readonly perSecond: number;
  readonly count: number;
}

/** Milliseconds of the machine's monotonic clock, the same in all threads. */
export function clockMs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1_000 + nanos / 1e6;
}

/** Posts the moment each publish was due; sleeps between, for spinning would take a core from the broker. */
function generate(plan: LoadPlan): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let startMs = clockMs() + 10;
  for (const { perSecond, count } of plan) {
    for (let index = 0; index < count; index += 1) {
      const dueMs = startMs + (index * 1_000) / perSecond;
      for (let now = clockMs(); now < dueMs; now = clockMs()) Atomics.wait(sleeper, 0, 0, dueMs - now);
      parentPort!.postMessage(dueMs);
    }
    startMs += (count * 1_000) / perSecond;
  }
}

// Imported by the publisher for its clock only.
if (parentPort !== null && workerData !== null) generate(workerData as LoadPlan);
