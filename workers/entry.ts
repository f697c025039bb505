/** What Piscina loads in each thread: a task is a stretch of time in which the thread takes slabs from the queue in the shared memory. */
import { setPriority } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { threadId, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '../src/api/errors.ts';
import { SlabRunner } from './runner.ts';
import { loadUserCode } from './user-code.ts';
import { HeaderWord } from '../src/memory/header-page.ts';
import { Ring } from '../src/memory/ring.ts';
import type { SharedRing } from '../src/memory/ring.ts';
import type { PipelineDescription } from '../src/memory/pipeline.ts';
import { DedupeWindow } from '../src/memory/window.ts';
import { WorkQueue } from '../src/memory/work-queue.ts';

/** What main gives each worker at its start. */
export interface WorkerSetup extends SharedRing {
  readonly windowCapacity: number;
  /** The WebAssembly kernel, null = TypeScript only. */
  readonly kernel: Uint8Array | null;
  /** There are more threads than cores: the event loop of the embedding process goes first. */
  readonly stepsBack: boolean;
}

/** A third of the event loop's share where both want one core. */
const NICENESS = 5;

const SLOT_WORDS = 32; // 128 bytes apart: each slot has its own writer.

export interface ServeOrder {
  readonly round: number;
  /** Hears 0 for each slab that is ready, and answers to what it asks for. */
  readonly port: MessagePort;
}

/** Please load the user code of this pipeline. */
export interface CheckRequest {
  readonly id: number;
  readonly description: PipelineDescription;
}

export interface CheckAnswer {
  readonly id: number;
  /** What loading threw. */
  readonly fault?: Error;
}

/** Why a worker stopped before it was told to: a slab that it could not run, a defect of ours. Null = it was told to. */
export interface ServeFault {
  readonly slab: number;
  readonly error: unknown;
}

interface Desk {
  readonly queue: WorkQueue;
  readonly runner: SlabRunner;
}

let desk: Desk | null = null;

/**
 * Runs slabs until main begins another round: one long task, so that a slab costs main neither a task nor a promise. Between two
 * slabs the thread turns: timers, profilers and whatever user code has left behind get their time.
 */
export async function serve({ round, port }: ServeOrder): Promise<ServeFault | null> {
  const { queue, runner } = (desk ??= start());
  port.on('message', (request: CheckRequest) => void check(request).then((answer) => port.postMessage(answer)));
  for (;;) {
    const { bell } = queue; // Before the round: one that ends from here on rings it.
    if (queue.round !== round) return null;
    const slab = queue.take(threadId);
    if (slab < 0) {
      await queue.whenRung(bell);
      continue;
    }
    try {
      const loading = runner.prepare(slab);
      if (loading !== null) await loading;
      runner.run(slab);
    } catch (error) {
      return { slab, error };
    }
    port.postMessage(0);
    await turn();
  }
}

function start(): Desk {
  // Piscina wraps the data of its user: [{...}, workerData].
  const setup = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerSetup;
  if (setup.stepsBack) stepBack();
  const ring = Ring.attach(setup);
  const window = setup.windowCapacity > 0 ? new DedupeWindow(ring, setup.windowCapacity) : null;
  return { queue: new WorkQueue(ring), runner: new SlabRunner(ring, takeSlot(ring), window, setup.kernel) };
}

/** Of this thread alone, which is what Linux makes of it; elsewhere the whole process would step back. */
function stepBack(): void {
  if (process.platform === 'linux') setPriority(NICENESS);
}

/** A scratch of one's own. Main gives back the slot of a thread that has ended (by thread id). */
function takeSlot(attached: Ring): number {
  const { layout, words } = attached;
  for (let slot = 0; slot < layout.workerSlots - 1; slot += 1) {
    const word = layout.headerStart / 4 + HeaderWord.workerSlots + slot * SLOT_WORDS;
    // Pairs with main's store of 0 after this slot's last thread has ended.
    if (Atomics.compareExchange(words, word, 0, threadId) === 0) return slot;
  }
  throw new Error(`no worker slot is free: ${layout.workerSlots - 1} threads`);
}

/** Loads the user code of a pipeline before its first slab, so that a module that cannot be loaded fails the call and not its events. */
async function check({ id, description }: CheckRequest): Promise<CheckAnswer> {
  try {
    await loadUserCode(description);
    return { id };
  } catch (error) {
    // Made anew: what a module throws may hold anything, also what cannot be sent.
    const fault = new Error(messageOf(error));
    if (error instanceof Error && error.stack !== undefined) fault.stack = error.stack;
    return { id, fault };
  }
}
