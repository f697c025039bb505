/** What Piscina loads in each thread: a task is a slab number, the answer is its sequence; all else goes through the slab. */
import { threadId, workerData } from 'node:worker_threads';
import { SlabRunner } from './runner.ts';
import { loadUserCode } from './user-code.ts';
import { HeaderWord, SlabWord } from '../src/memory/layout.ts';
import { Ring } from '../src/memory/ring.ts';
import type { SharedRing } from '../src/memory/ring.ts';
import type { PipelineDescription } from '../src/memory/pipeline.ts';
import { DedupeWindow } from '../src/memory/window.ts';

/** What main gives each worker at its start. */
export interface WorkerSetup extends SharedRing {
  readonly windowCapacity: number;
  /** The WebAssembly kernel, null = TypeScript only. */
  readonly kernel: Uint8Array | null;
}

const SLOT_WORDS = 32; // 128 bytes apart: each slot has its own writer.

let runner: SlabRunner | null = null;

/** Runs one slab. Asynchronous only until the user code of its pipeline is loaded. */
export function runSlab(slab: number): number | Promise<number> {
  runner ??= start();
  const loading = runner.prepare(slab);
  if (loading !== null) return loading.then(() => run(slab));
  return run(slab);
}

function run(slab: number): number {
  runner!.run(slab);
  return ring!.get(slab, SlabWord.sequence);
}

let ring: Ring | null = null;

function start(): SlabRunner {
  // Piscina wraps the data of its user: [{...}, workerData].
  const setup = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerSetup;
  ring = Ring.attach(setup);
  const window = setup.windowCapacity > 0 ? new DedupeWindow(ring, setup.windowCapacity) : null;
  return new SlabRunner(ring, takeSlot(ring), window, setup.kernel);
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
export async function checkUserCode(description: PipelineDescription): Promise<void> {
  await loadUserCode(description);
}
