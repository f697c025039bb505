/** Micro benches of the dedupe window when it is full of known ids, from the id's bytes to the answer, beside a Set of strings. */
import { hash128 } from '../../src/codec/hash.ts';
import { Ring } from '../../src/memory/ring.ts';
import { CLAIM_KNOWN, DedupeWindow, windowBytes } from '../../src/memory/window.ts';
import { numberOf } from '../rivals/params.ts';
import type { MicroSetup, MicroTask, MicroTasks } from './task.ts';
import { must } from './task.ts';

const ID_BYTES = 16;
const LOOKUPS = 10_000;
const WINDOW_MS = 600_000;
/** Coprime to any count used: visits ids in an order that no cache foresees. */
const STRIDE = 7_368_787;
const PROBED_ERROR = 0.001;

/** `count` ids as text bytes, side by side. */
function idBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count * ID_BYTES);
  for (let index = 0; index < count; index += 1)
    bytes.write((index * 0x9e3779b1).toString(16).padStart(ID_BYTES, '0'), index * ID_BYTES, 'latin1');
  return bytes;
}

function window({ params }: MicroSetup): MicroTask {
  const count = numberOf(params, 'ids', 1_000_000);
  const ids = idBytes(count);
  const capacity = count * 2 + 65_536; // Both generations hold half of it each.
  const ring = Ring.create({ slabs: 2, slabBytes: 65_536, workers: 1, eventBytesMax: 65_536, windowBytes: windowBytes(capacity) });
  const known = new DedupeWindow(ring, capacity);
  known.format({ windowMs: WINDOW_MS, nowMs: 0 });
  const slab = ring.claim();
  const log = (ring.start(slab) + ring.shape(slab).claimStart) / 4;
  const print = new Uint32Array(4);
  const claim = (index: number): number => {
    hash128(ids, index * ID_BYTES, (index + 1) * ID_BYTES, known.key, print);
    return known.claim(print, 0, 0, log);
  };
  for (let index = 0; index < count; index += 1) claim(index);
  ring.settleBelow(1);
  let at = 0;
  const lookUp = (): number => {
    let found = 0;
    for (let turn = 0; turn < LOOKUPS; turn += 1) {
      if (claim(at) === CLAIM_KNOWN) found += 1;
      at = (at + STRIDE) % count;
    }
    return found;
  };
  const check = (): string => (must(lookUp() >= LOOKUPS * (1 - PROBED_ERROR), 'ids found'), 'every id looked up was known');
  return { opsPerStep: LOOKUPS, step: () => void lookUp(), check, bytesPerId: windowBytes(capacity) / capacity };
}

function set({ params }: MicroSetup): MicroTask {
  const count = numberOf(params, 'ids', 1_000_000);
  const ids = idBytes(count);
  const textAt = (index: number): string => ids.toString('latin1', index * ID_BYTES, (index + 1) * ID_BYTES);
  const before = process.memoryUsage().heapUsed;
  const known = new Set<string>();
  for (let index = 0; index < count; index += 1) known.add(textAt(index));
  const bytesPerId = (process.memoryUsage().heapUsed - before) / count;
  let at = 0;
  const lookUp = (): number => {
    let found = 0;
    for (let turn = 0; turn < LOOKUPS; turn += 1) {
      if (known.has(textAt(at))) found += 1;
      at = (at + STRIDE) % count;
    }
    return found;
  };
  return {
    opsPerStep: LOOKUPS,
    step: () => void lookUp(),
    check: () => (must(lookUp() === LOOKUPS, 'ids found'), 'every id looked up was known'),
    bytesPerId,
  };
}

export const windowTasks: MicroTasks = { window, set };
