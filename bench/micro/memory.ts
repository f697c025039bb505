/** Micro benches of shared memory: a slab's way through all its states, and copies inside it; each beside a rival. */
import { createCopy } from '../../src/memory/copy.ts';
import { Ring } from '../../src/memory/ring.ts';
import { createSharedMemory } from '../../src/memory/webassembly.ts';
import { numberOf } from '../rivals/params.ts';
import type { MicroSetup, MicroTask, MicroTasks } from './task.ts';
import { must } from './task.ts';

const SLAB_BYTES = 262_144;
const TURNS = 1_000;
const PAGES = 64;

/** Everything a slab costs beside the work on it: claim, dispatch, begin, complete, commit, release. */
function ring(): MicroTask {
  const slabs = Ring.create({ slabs: 4, slabBytes: SLAB_BYTES, workers: 1, eventBytesMax: SLAB_BYTES, windowBytes: 0 });
  const turn = (): void => {
    const slab = slabs.claim();
    slabs.dispatch(slab);
    slabs.begin(slab);
    slabs.complete(slab);
    slabs.commit(slab);
    slabs.release(slab);
  };
  const step = (): void => {
    for (let index = 0; index < TURNS; index += 1) turn();
  };
  return { opsPerStep: TURNS, step, check: () => (step(), must(slabs.freeCount === 4, 'slabs free'), 'all slabs free afterwards') };
}

/** What a hand-over by message copies. */
function clone(): MicroTask {
  const chunk = new Uint8Array(SLAB_BYTES);
  return { opsPerStep: 1, step: () => void structuredClone(chunk), check: () => 'the reference itself' };
}

const copies =
  (copyOf: (bytes: Uint8Array, memory: ReturnType<typeof createSharedMemory>) => (to: number, from: number, length: number) => void) =>
  ({ params }: MicroSetup): MicroTask => {
    const memory = createSharedMemory(PAGES);
    const bytes = new Uint8Array(memory.buffer);
    const length = numberOf(params, 'bytes', 200);
    const copy = copyOf(bytes, memory);
    const half = bytes.length / 2;
    const turns = Math.max(1, Math.floor(half / length / 2));
    const step = (): void => {
      for (let turn = 0; turn < turns; turn += 1) copy(half + turn * length, turn * length, length);
    };
    const check = (): string => {
      bytes.fill(7, 0, length);
      copy(half, 0, length);
      must(bytes[half] === 7 && bytes[half + length - 1] === 7, 'copied bytes');
      return 'bytes compared';
    };
    return { opsPerStep: turns, step, check };
  };

export const memoryTasks: MicroTasks = {
  ring,
  clone,
  'copy-ours': copies((_, memory) => createCopy(memory)),
  'copy-within': copies((bytes) => (to, from, length) => void bytes.copyWithin(to, from, from + length)),
  'copy-set': copies((bytes) => (to, from, length) => bytes.set(bytes.subarray(from, from + length), to)),
};
