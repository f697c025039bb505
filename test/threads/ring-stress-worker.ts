/** A real thread that takes slabs (by message, or from a mailbox word with Atomics.wait), checks and transforms them, and completes. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { HeaderWord } from '../../src/memory/header-page.ts';
import { SlabWord } from '../../src/memory/layout.ts';
import { Ring } from '../../src/memory/ring.ts';
import type { SharedRing } from '../../src/memory/ring.ts';
import { checksum } from './ring-stress-pattern.ts';

export interface StressWorkerData {
  readonly shared: SharedRing;
  readonly slot: number;
  readonly mode: 'message' | 'mailbox' | 'noise';
}

/** Int32 index of the mailbox word of a worker: 0 = empty, slab + 1, or -1 = stop. */
export function mailboxOf(ring: Ring, slot: number): number {
  return ring.layout.headerStart / 4 + HeaderWord.workerSlots + slot * 32;
}

/** Inverts the bytes, and says what it saw. */
function work(ring: Ring, slab: number): void {
  ring.begin(slab);
  const { inStart, outStart } = ring.shape(slab);
  const from = ring.start(slab) + inStart + ring.get(slab, SlabWord.inFrom);
  const bytes = ring.get(slab, SlabWord.inBytes) - ring.get(slab, SlabWord.inFrom);
  const half = ring.get(slab, SlabWord.retake) === 1 ? bytes >> 1 : bytes; // Stops in the middle when told to, as a full out area makes it.
  const out = ring.start(slab) + outStart;
  for (let index = 0; index < half; index += 1) ring.bytes[out + index] = ~ring.bytes[from + index]!;
  ring.set(slab, SlabWord.events, checksum(ring.bytes, from, from + half));
  ring.set(slab, SlabWord.recordsDone, ring.get(slab, SlabWord.sequence));
  ring.set(slab, SlabWord.lines, ring.get(slab, SlabWord.epoch));
  ring.set(slab, SlabWord.outBytes, half);
  ring.set(slab, SlabWord.inDone, ring.get(slab, SlabWord.inFrom) + half);
  ring.complete(slab);
}

/** Without an event loop: the thread is parked in Atomics.wait, so that a terminate hits it there too. */
function serveMailbox(ring: Ring, slot: number): void {
  const at = mailboxOf(ring, slot);
  for (;;) {
    Atomics.wait(ring.words, at, 0, 20); // Pairs with the notify of the test; the timeout makes a lost one harmless.
    const mail = Atomics.load(ring.words, at);
    if (mail === -1) return;
    if (mail === 0) continue;
    Atomics.store(ring.words, at, 0); // Before the work: the test may put the next slab in.
    work(ring, mail - 1);
  }
}

function makeNoise(): never {
  let junk: unknown[] = [];
  for (;;) junk = junk.length > 10_000 ? [] : [...junk.slice(-100), new Array(50).fill(junk.length), { junk: junk.length }];
}

if (!isMainThread && parentPort !== null) {
  const { shared, slot, mode } = workerData as StressWorkerData;
  const ring = Ring.attach(shared);
  const port = parentPort;
  if (mode === 'noise') makeNoise();
  else if (mode === 'mailbox') serveMailbox(ring, slot);
  else
    port.on('message', (slab: number) => {
      work(ring, slab);
      port.postMessage(slab);
    });
}
