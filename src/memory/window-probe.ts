/** Finds an id, or the one place that it may take, in one table of the window; all threads that look for one id find the same place. */
import {
  ABANDONED,
  AGE_NEWER,
  BLOCK_PLACES,
  entryIndex,
  EntryState,
  EntryWord,
  metaIndex,
  metaOf,
  slotOf,
  STAMP_MASK,
  STAMP_SHIFT,
  STATE_MASK,
  TAG_SHIFT,
} from './window-table.ts';

/** No entry and no room. */
export const NOWHERE: number = -1;
/** The caller's generation is over. */
export const OUTDATED: number = -2;
const STEP = -3;

const PROBES_MAX = 1_024; // At the load limit no run of places grows so long. The kernel looks as far (BLOCKS_MAX).
const SPINS_MAX = 256; // A reserver needs some ten instructions to publish; one that was preempted gets the sleeps below.
const SLEEP_MS = 1;
const SLEEPS_MAX = 20;
const LOW_MASK: number = STATE_MASK | (STAMP_MASK << STAMP_SHIFT); // State and stamp of a meta word.

export class WindowProbe {
  /** The last find returned the entry of the id. */
  matched = false;
  /** The meta word at what the last find returned. */
  seen = 0;
  readonly #words: Int32Array;
  readonly #entries: number;
  readonly #places: number;
  readonly #homeScale: number;
  readonly #probesMax: number;

  constructor(words: Int32Array, entries: number, places: number) {
    this.#words = words;
    this.#entries = entries;
    this.#places = places;
    this.#homeScale = places / BLOCK_PLACES / 4_294_967_296;
    this.#probesMax = Math.min(PROBES_MAX, places);
  }

  /** The first place of a block. Multiply-high range reduction: any number of blocks will do. */
  #home(print0: number): number {
    return ((print0 * this.#homeScale) | 0) * BLOCK_PLACES;
  }

  /**
   * The entry of this id (`matched`), or the place that it would take (`seen` = the meta word seen there), or why there is none. Reads are plain:
   * places only go forward within a generation, so an old value can only look emptier than it is, and the exchange or DedupeWindow checks what counts.
   * What earlier generations published is ordered before these reads by the load of the generation word.
   */
  find(print0: number, fingerprint: Uint32Array, generation: number, current: boolean): number {
    const words = this.#words;
    const live = metaOf(print0, generation) | EntryState.live;
    let place = this.#home(print0);
    this.matched = false;
    for (let left = this.#probesMax; left > 0; left -= 1) {
      const slot = slotOf(place, generation);
      const meta = words[this.#entries + metaIndex(slot)]!;
      if (meta === 0) {
        this.seen = 0;
        return slot;
      }
      if (((meta ^ live) & LOW_MASK) !== 0) {
        const verdict = this.#judge(slot, fingerprint, live, current);
        if (verdict !== STEP) return verdict;
      } else if (meta === live && this.#isPublished(slot, live) && this.#sameId(slot, fingerprint)) {
        this.matched = true;
        this.seen = meta;
        return slot;
      }
      place += 1;
      if (place === this.#places) place = 0;
    }
    return NOWHERE;
  }

  /** Orders the entry's words after its meta word, where the plain read did not. Pairs with the publishing exchange in claim. */
  #isPublished(slot: number, live: number): boolean {
    return (Atomics.load(this.#words, this.#entries + metaIndex(slot)) | 1) === (live | 1);
  }

  /** A place that is not simply a live entry of this generation. */
  #judge(slot: number, fingerprint: Uint32Array, live: number, current: boolean): number {
    const stamp = (live >>> STAMP_SHIFT) & STAMP_MASK;
    const at = this.#entries + metaIndex(slot);
    let meta = Atomics.load(this.#words, at); // Pairs with the publishing exchange in claim: the other words are complete.
    if (current && (meta & STATE_MASK) === EntryState.reserved) meta = this.#awaitOther(at, meta, live);
    this.seen = meta;
    if (meta === 0) return slot;
    if (meta === ABANDONED) return STEP;
    const age = stampAge(meta, stamp);
    if (age >= AGE_NEWER) return OUTDATED;
    if (age > 0) return (meta & STATE_MASK) === EntryState.reserved ? STEP : slot; // Stale counts as empty.
    if (!current || (meta | 1) !== (live | 1) || !this.#sameId(slot, fingerprint)) return STEP;
    this.matched = meta === live; // Published while we waited; else rolled back, and its own id takes it again.
    return slot;
  }

  /** A reserved place of this very id, or of an old generation, is waited for a bounded time and then given up. Returns the meta word to go by. */
  #awaitOther(at: number, reserved: number, live: number): number {
    const words = this.#words;
    const age = stampAge(reserved, (live >>> STAMP_SHIFT) & STAMP_MASK);
    if (age >= AGE_NEWER || (age === 0 && (reserved ^ live) >>> TAG_SHIFT !== 0)) return reserved; // Another id, or we are outdated.
    let meta: number = reserved;
    for (let spin = 0; spin < SPINS_MAX && meta === reserved; spin += 1) meta = Atomics.load(words, at); // Pairs with the publishing exchange.
    for (let sleep = 0; sleep < SLEEPS_MAX && meta === reserved; sleep += 1) {
      Atomics.wait(words, at, reserved, SLEEP_MS); // Nobody notifies: it only lets a preempted reserver run.
      meta = Atomics.load(words, at);
    }
    if (meta !== reserved) return meta;
    // Pairs with the publishing exchange: if this one wins, that one fails, and a reserver that was only slow claims again from the start.
    meta = Atomics.compareExchange(words, at, reserved, ABANDONED);
    return meta === reserved ? ABANDONED : meta;
  }

  #sameId(slot: number, fingerprint: Uint32Array): boolean {
    const words = this.#words;
    const at = this.#entries + entryIndex(slot);
    return (
      words[at + EntryWord.print1] === (fingerprint[1]! | 0) &&
      words[at + EntryWord.print2] === (fingerprint[2]! | 0) &&
      words[at + EntryWord.print3] === (fingerprint[3]! | 0)
    );
  }
}

/** How many uses of its table ago the entry was written, modulo 256. */
function stampAge(meta: number, stamp: number): number {
  return (stamp - (meta >>> STAMP_SHIFT)) & STAMP_MASK;
}
