/** The slabs of one shared memory: claimed and released by main only, handed over through one state word each, in sequence. */
import { strict as assert } from 'node:assert';
import { HeaderWord } from './header-page.ts';
import { drawLayout, slabShape, SlabState, SlabWord, slabStart, STATE_BITS } from './layout.ts';
import type { Layout, LayoutRequest, SlabShape } from './layout.ts';
import { createSharedMemory } from './webassembly.ts';
import type { SharedMemory } from './webassembly.ts';
import { NO_SLOT } from './window.ts';

const PAGE = 65_536;
const STATE_MASK = (1 << STATE_BITS) - 1;
const MAGIC = 0x4d_52_49_4e; // "MRIN"
const VERSION = 1;

type State = (typeof SlabState)[keyof typeof SlabState];

/** What a worker needs to attach; both members are cloneable. */
export interface SharedRing {
  readonly memory: SharedMemory;
  readonly layout: Layout;
}

export class Ring {
  readonly layout: Layout;
  readonly memory: SharedMemory;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #free: Int32Array; // Main only: indexes of free slabs, the last freed first (its cache lines are warm); so many:
  #freeCount = 0;
  #jumboFree = true;
  #nextSequence = 0;

  private constructor({ memory, layout }: SharedRing) {
    this.memory = memory;
    this.layout = layout;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.#free = new Int32Array(layout.slabs);
  }

  /** Main: makes the memory. Pages are resident when first touched. Tests start sequences near the wrap. */
  static create(request: LayoutRequest, firstSequence = 0): Ring {
    const layout = drawLayout(request);
    const pages = layout.bytes / PAGE;
    const ring = new Ring({ memory: createSharedMemory(pages), layout });
    ring.words[layout.headerStart / 4 + HeaderWord.magic] = MAGIC;
    ring.words[layout.headerStart / 4 + HeaderWord.version] = VERSION;
    for (let index = layout.slabs - 1; index >= 0; index -= 1) ring.#giveBack(index);
    ring.#nextSequence = firstSequence;
    ring.settleBelow(firstSequence);
    return ring;
  }

  /** Worker: the same memory, seen from another thread. It must not claim or release. */
  static attach(shared: SharedRing): Ring {
    const ring = new Ring(shared);
    assert.equal(ring.words[shared.layout.headerStart / 4 + HeaderWord.magic], MAGIC);
    assert.equal(ring.words[shared.layout.headerStart / 4 + HeaderWord.version], VERSION);
    return ring;
  }

  get shared(): SharedRing {
    return { memory: this.memory, layout: this.layout };
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  /** The sequence that the next dispatch will give. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  shape(slab: number): SlabShape {
    return slabShape(this.layout, slab);
  }

  start(slab: number): number {
    return slabStart(this.layout, slab);
  }

  /** Plain read of a header word: ordered by the state word, or by the message that named the slab. */
  get(slab: number, word: number): number {
    return this.words[slabStart(this.layout, slab) / 4 + word]!;
  }

  set(slab: number, word: number, value: number): void {
    this.words[slabStart(this.layout, slab) / 4 + word] = value;
  }

  /** Place of the in area's first byte in the source. */
  offset(slab: number): number {
    return (this.get(slab, SlabWord.offsetLow) >>> 0) + this.get(slab, SlabWord.offsetHigh) * 2 ** 32;
  }

  /** Main: takes a free slab; -1 = none, which is the backpressure. */
  claim(): number {
    if (this.#freeCount === 0) return -1;
    this.#freeCount -= 1;
    return this.#open(this.#free[this.#freeCount]!);
  }

  /** Main: takes the one slab for a record larger than a normal slab; -1 = it is in use. */
  claimJumbo(): number {
    if (!this.#jumboFree) return -1;
    this.#jumboFree = false;
    return this.#open(this.layout.slabs);
  }

  /**
   * Main: filling is over, the slab gets the next sequence, a worker may take it. The sequence is given here and not at the claim:
   * slabs commit in sequence, and one that a slow source is still filling must not hold back those filled after it.
   */
  dispatch(slab: number): void {
    this.set(slab, SlabWord.sequence, this.#nextSequence);
    this.#nextSequence = (this.#nextSequence + 1) | 0; // Wraps; sequences are compared by difference.
    this.#move(slab, SlabState.filling, SlabState.waiting);
  }

  /** Worker (or main, inline): takes the slab to work on it. */
  begin(slab: number, thread = 0): void {
    if (!this.tryBegin(slab, thread)) throw this.#wrong(slab, SlabState.waiting, SlabState.working);
  }

  /** Worker: the same, where another may be first. Taken and signed in one exchange: a thread may be ended between any two steps. */
  tryBegin(slab: number, thread: number): boolean {
    const word = slabStart(this.layout, slab) / 4 + SlabWord.state;
    const signed = SlabState.working | (thread << STATE_BITS);
    return Atomics.compareExchange(this.words, word, SlabState.waiting, signed) === SlabState.waiting;
  }

  /** Id of the thread that is at the slab; 0 = none, or the main thread. */
  holder(slab: number): number {
    return Atomics.load(this.words, slabStart(this.layout, slab) / 4 + SlabWord.state) >>> STATE_BITS;
  }

  /** Worker: results are written. The exchange publishes them; pairs with `commit` on main. */
  complete(slab: number): void {
    this.#move(slab, SlabState.working, SlabState.ready);
  }

  /** Main, in sequence order: its batches go to the broker. */
  commit(slab: number): void {
    this.#move(slab, SlabState.ready, SlabState.inFlight);
  }

  /** Main: the part that ran has settled and there is more to run (the rest, or copies to take again). */
  resume(slab: number): void {
    // The claims of the part that has settled stay: if a worker dies before it begins this run, none of them may be rolled back.
    this.set(slab, SlabWord.claims, 0);
    this.words[(slabStart(this.layout, slab) + slabShape(this.layout, slab).claimStart) / 4] = NO_SLOT;
    this.#move(slab, SlabState.inFlight, SlabState.waiting);
  }

  /** Main: the worker that had it died, nothing of its run counts, the slab runs again. It may not have begun, and it may have been complete: only its word was lost. */
  reclaim(slab: number): void {
    const state = this.state(slab);
    if (state === SlabState.waiting) return;
    this.#move(slab, state === SlabState.ready ? SlabState.ready : SlabState.working, SlabState.waiting);
  }

  /** Main: everything in it has settled. */
  release(slab: number): void {
    this.#move(slab, SlabState.inFlight, SlabState.free);
    this.#giveBack(slab);
  }

  /** Main: nothing was put into it after all. */
  abandon(slab: number): void {
    this.#move(slab, SlabState.filling, SlabState.free);
    this.#giveBack(slab);
  }

  #giveBack(slab: number): void {
    if (slab === this.layout.slabs) this.#jumboFree = true;
    else this.#free[this.#freeCount++] = slab;
  }

  state(slab: number): State {
    return (Atomics.load(this.words, slabStart(this.layout, slab) / 4 + SlabWord.state) & STATE_MASK) as State;
  }

  /** Main: sequences below `sequence` are settled. Pairs with the load in the window's claim on workers. */
  settleBelow(sequence: number): void {
    Atomics.store(this.words, this.layout.headerStart / 4 + HeaderWord.settled, sequence | 0);
  }

  settledBelow(): number {
    return Atomics.load(this.words, this.layout.headerStart / 4 + HeaderWord.settled);
  }

  #open(slab: number): number {
    this.#move(slab, SlabState.free, SlabState.filling);
    this.set(slab, SlabWord.epoch, (this.get(slab, SlabWord.epoch) + 1) | 0);
    return slab;
  }

  /** The exchange orders everything written before it; a wrong state is a defect of ours, found here and not later. */
  #move(slab: number, from: State, to: State): void {
    const word = slabStart(this.layout, slab) / 4 + SlabWord.state;
    const held = Atomics.load(this.words, word); // With its thread, if it has one.
    const seen = (held & STATE_MASK) === from ? Atomics.compareExchange(this.words, word, held, to) : held;
    if ((seen & STATE_MASK) !== from) throw this.#wrong(slab, from, to);
  }

  #wrong(slab: number, from: State, to: State): Error {
    return new Error(`slab ${slab}: state ${this.state(slab)}, expected ${from} before ${to}`);
  }
}
