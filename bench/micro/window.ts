/** Micro benches of the dedupe window when it is full of known ids, on the way that events take: from a small event's bytes to "known". */
import { hash128, PUBLIC_KEY } from '../../src/codec/hash.ts';
import { windowBytes } from '../../src/memory/window.ts';
import { numberOf } from '../rivals/params.ts';
import { PrivateStages } from '../rivals/private-stages.ts';
import type { MicroSetup, MicroTask, MicroTasks } from './task.ts';
import { must } from './task.ts';

const ID_BYTES = 16;
/** Both generations hold half of it each. */
const capacityOf = (count: number): number => count * 2 + 65_536;
/** Events that are looked up, in chunks of a slab each: far more than any cache holds, and no more memory than need be. */
const LOOKED_UP = 2_000_000;
/** Coprime to any count used: visits ids in an order that no cache foresees. */
const STRIDE = 7_368_787;
const PROBED_ERROR = 0.001;
/** Hash bits in which the adversary's ids agree: one id of sixteen is taken. */
const CHOSEN_MASK = 15;
const LINE_HEAD = '{"id":"';
const LINE_TAIL = '","type":"view","country":"DE","page":"/books/120","agent":"Firefox/148.0","ms":137}\n';
const LINE_BYTES = LINE_HEAD.length + ID_BYTES + LINE_TAIL.length;
/** Of a chunk, which is a little less than a slab. */
const LINES = 1_800;

/** `count` ids as text bytes, side by side. */
function idBytes({ params }: MicroSetup): Buffer {
  const count = numberOf(params, 'ids', 1_000_000);
  const bytes = Buffer.alloc(count * ID_BYTES);
  return params['adversarial'] === true ? chosen(bytes, count) : scattered(bytes, count);
}

function scattered(bytes: Buffer, count: number): Buffer {
  for (let index = 0; index < count; index += 1)
    bytes.write((index * 0x9e3779b1).toString(16).padStart(ID_BYTES, '0'), index * ID_BYTES, 'latin1');
  return bytes;
}

/** What somebody who knows the algorithm, and not the key, would send: ids that fall together under the published key. */
function chosen(bytes: Buffer, count: number): Buffer {
  const print = new Uint32Array(4);
  let next = 0;
  for (let index = 0; index < count; next += 1) {
    const [from, to] = [index * ID_BYTES, (index + 1) * ID_BYTES];
    bytes.write(next.toString(16).padStart(ID_BYTES, 'a'), from, 'latin1');
    hash128(bytes, from, to, PUBLIC_KEY, print);
    if ((print[0]! & CHOSEN_MASK) === 0) index += 1;
  }
  return bytes;
}

/** Chunks of whole lines with the ids that `indexOf` names. */
function* chunksOf(ids: Buffer, count: number, indexOf: (line: number) => number): Generator<Uint8Array, void, undefined> {
  for (let from = 0; from < count; from += LINES) {
    const lines = Math.min(LINES, count - from);
    const chunk = Buffer.from(`${LINE_HEAD}${'0'.repeat(ID_BYTES)}${LINE_TAIL}`.repeat(lines), 'latin1');
    for (let line = 0; line < lines; line += 1) {
      const at = indexOf(from + line) * ID_BYTES;
      ids.copy(chunk, line * LINE_BYTES + LINE_HEAD.length, at, at + ID_BYTES);
    }
    yield chunk;
  }
}

/** Every stage of a worker on events that are all known, or (id none) that nobody looks up: the difference is what an id costs. */
function lookUps(id: '/id' | 'none'): (setup: MicroSetup) => MicroTask {
  return (setup) => {
    const count = numberOf(setup.params, 'ids', 1_000_000);
    const ids = idBytes(setup);
    const capacity = capacityOf(count);
    const stages = new PrivateStages({ id, capacity });
    if (id !== 'none') for (const chunk of chunksOf(ids, count, (index) => index)) stages.count(chunk);
    const chunks = [...chunksOf(ids, Math.min(count, LOOKED_UP), (index) => (index * STRIDE) % count)];
    let at = 0;
    const step = (): number => {
      const made = stages.count(chunks[at]!);
      // The last may be shorter, so it is only checked and not timed.
      at = (at + 1) % Math.max(1, chunks.length - 1);
      return made;
    };
    const check = (): string => {
      const made = chunks.reduce((sum, chunk) => sum + stages.count(chunk), 0);
      if (id !== 'none') must(made <= count * PROBED_ERROR, `${made} events were new`);
      return id === 'none' ? 'every event counted' : 'every id looked up was known';
    };
    const bytesPerId = id === 'none' ? {} : { bytesPerId: windowBytes(capacity) / capacity };
    return { opsPerStep: LINES, step: () => void step(), check, ...bytesPerId, ...(id === 'none' ? {} : floorOf(chunks)) };
  };
}

/** The same chunks without ids. */
function floorOf(chunks: readonly Uint8Array[]): { readonly floor: () => void } {
  const stages = new PrivateStages({ id: 'none', capacity: 65_536 });
  let at = 0;
  const floor = (): void => {
    stages.count(chunks[at]!);
    at = (at + 1) % Math.max(1, chunks.length - 1);
  };
  return { floor };
}

function set(setup: MicroSetup): MicroTask {
  const count = numberOf(setup.params, 'ids', 1_000_000);
  const ids = idBytes(setup);
  const textAt = (index: number): string => ids.toString('latin1', index * ID_BYTES, (index + 1) * ID_BYTES);
  const before = process.memoryUsage().heapUsed;
  const known = new Set<string>();
  for (let index = 0; index < count; index += 1) known.add(textAt(index));
  const bytesPerId = (process.memoryUsage().heapUsed - before) / count;
  let at = 0;
  const lookUp = (): number => {
    let found = 0;
    for (let turn = 0; turn < LINES; turn += 1) {
      if (known.has(textAt(at))) found += 1;
      at = (at + STRIDE) % count;
    }
    return found;
  };
  return {
    opsPerStep: LINES,
    step: () => void lookUp(),
    check: () => (must(lookUp() === LINES, 'ids found'), 'every id looked up was known'),
    bytesPerId,
  };
}

export const windowTasks: MicroTasks = { window: lookUps('/id'), 'window-none': lookUps('none'), set };
