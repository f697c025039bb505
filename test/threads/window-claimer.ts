/** A real thread that claims ids as a worker does: the log row first, NO_SLOT in the row after it, then the count. */
import { strict as assert } from 'node:assert';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { CLAIM_WORDS, SlabWord } from '../../src/memory/layout.ts';
import { Ring } from '../../src/memory/ring.ts';
import type { SharedRing } from '../../src/memory/ring.ts';
import { CLAIM_FRESH, DedupeWindow, NO_SLOT } from '../../src/memory/window.ts';

export interface ClaimerData {
  readonly shared: SharedRing;
  readonly capacity: number;
  readonly slab: number;
  readonly owner: number;
  readonly ids: number;
  /** Steps through the ids: each worker in an order of its own. */
  readonly stride: number;
  /** Claims at most so many, then waits to be terminated. */
  readonly forEver: boolean;
}

export interface ClaimerReport {
  readonly fresh: Uint8Array;
  readonly pending: number;
  readonly known: number;
  readonly full: number;
}

/** The same fingerprint in each thread. */
export function writePrint(print: Uint32Array, id: number): void {
  print[0] = Math.imul(id + 1, 0x9e3779b1) ^ (id >>> 3);
  print[1] = Math.imul(id, 0x85ebca6b);
  print[2] = id;
  print[3] = ~id;
}

function run({ shared, capacity, slab, owner, ids, stride, forEver }: ClaimerData): ClaimerReport {
  const ring = Ring.attach(shared);
  const window = new DedupeWindow(ring, capacity);
  const print = new Uint32Array(4);
  const counts = [0, 0, 0, 0];
  const fresh = new Uint8Array(ids);
  const log = (ring.start(slab) + ring.shape(slab).claimStart) / 4;
  let claims = 0;
  ring.words[log] = NO_SLOT;
  parentPort!.postMessage('ready');
  Atomics.wait(ring.words, (ring.start(0) / 4 + SlabWord.heartbeat) | 0, 0, 10_000); // All begin at once; pairs with the notify of the test.
  for (let step = 0, id = owner % ids; step < ids; step += 1, id = (id + stride) % ids) {
    writePrint(print, id);
    const result = window.claim(print, 0, owner, log + claims * CLAIM_WORDS);
    counts[result]! += 1;
    if (result !== CLAIM_FRESH) continue;
    fresh[id] = 1;
    ring.words[log + (claims + 1) * CLAIM_WORDS] = NO_SLOT;
    claims += 1;
    ring.set(slab, SlabWord.claims, claims);
  }
  while (forEver) Atomics.add(ring.words, ring.start(slab) / 4 + SlabWord.suspect, 1); // Only something to be terminated in.
  return { fresh, pending: counts[2]!, known: counts[1]!, full: counts[3]! };
}

if (!isMainThread && parentPort !== null) {
  const data = workerData as ClaimerData;
  assert(data.ids > 0);
  parentPort.postMessage(run(data));
}
