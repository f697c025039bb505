/** Draws the dedupe window: its header, its two tables, block by block side by side, and the one word that says what an entry is. */
import { strict as assert } from 'node:assert';

export const WINDOW_HEADER_BYTES = 1_024;
/** Places of a block. An id's home is the first place of a block, so that one line of memory says for both tables where it is, or that it is not. */
export const BLOCK_PLACES = 8;
/** Its meta words: those of the even table, then those of the odd one. */
const BLOCK_META_WORDS: number = 2 * BLOCK_PLACES;
const ENTRY_WORDS = 5;
/** 384 B: mostly within one page, so that an id costs one miss of the TLB, and two of cache. */
const BLOCK_WORDS: number = BLOCK_META_WORDS * (1 + ENTRY_WORDS);
const LOAD_MAX = 0.8; // 24 B / 0.8 = 30 B an id; in a table that is full an id that is not there is looked for in 1.4 blocks.
const CAPACITY_MIN = 16;
const CAPACITY_MAX = 128 * 1_024 * 1_024; // 3.75 GiB, just below what a 32-bit memory has.

/** Words of the window's header, as Int32 indexes from its start. Words of different writers sit 128 bytes apart. */
export const WindowWord = {
  magic: 0,
  places: 1,
  /** Secret of this process, 4 words; written once by main before any worker runs. */
  key: 4,
  /** Main: number of the current generation; its parity says which table. */
  generation: 32,
  /** Workers: entries taken in each table, added in steps. One word per table. */
  takenEven: 64,
  takenOdd: 96,
  /** Workers: the generation that had no room for an id. */
  full: 128,
  /** Workers: events that went through without a claim. */
  unclaimed: 160,
  /** Main: where `insert` writes the claim-log row that nobody reads. */
  insertLog: 192,
} as const;

/**
 * An entry is a meta word and the words below. `meta` is tag (22 bits: the low bits of fingerprint word 0), stamp (8 bits), state (2 bits); the place in the
 * table comes from the high bits of word 0, so the whole fingerprint takes part. These words are valid while the state is live or rolledBack.
 */
export const EntryWord = { print1: 0, print2: 1, print3: 2, owner: 3, body: 4 } as const;

/**
 * Within one generation a place goes `empty → reserved → live → rolledBack → reserved …` and never back to empty: so all threads that
 * look for one id find the same first empty place, and exactly one wins it. A rolled-back entry keeps its id and only that id takes it again.
 */
export const EntryState = { none: 0, reserved: 1, live: 2, rolledBack: 3 } as const;
export const STATE_MASK = 3;
export const STAMP_SHIFT = 2;
export const STAMP_MASK = 0xff;
/** Ages from here on mean an entry newer than the reader's generation. The sweep keeps old ones younger than this. */
export const AGE_NEWER = 128;
export const TAG_SHIFT = 10;
/** A place whose reserver never came back: stepped over for ever (its owner might still write). One per dead worker, at most. */
export const ABANDONED: number = -4; // State `none`, and not 0.

/** Places of each table for `capacity` ids in two generations. */
export function windowPlaces(capacity: number): number {
  assert(Number.isInteger(capacity) && capacity >= CAPACITY_MIN && capacity <= CAPACITY_MAX, 'window capacity');
  return Math.ceil(capacity / 2 / LOAD_MAX / BLOCK_PLACES) * BLOCK_PLACES;
}

/** Bytes of the window for `capacity` ids, its header included: 30 an id, in whole blocks. */
export function windowBytes(capacity: number): number {
  return WINDOW_HEADER_BYTES + (windowPlaces(capacity) / BLOCK_PLACES) * BLOCK_WORDS * 4;
}

/** The stamp that entries of `generation` carry. Generations that share a table have neighbouring stamps. */
export function stampOf(generation: number): number {
  return (generation >> 1) & STAMP_MASK;
}

/** The meta word without its state, for fingerprint word 0 in `generation`. */
export function metaOf(print0: number, generation: number): number {
  return (print0 << TAG_SHIFT) | (stampOf(generation) << STAMP_SHIFT);
}

/** Number of an entry: its place, then its table. */
export function slotOf(place: number, generation: number): number {
  return (place << 1) | (generation & 1);
}

/** Int32 index of an entry's meta word, from the first block. */
export function metaIndex(slot: number): number {
  return (slot >> 4) * BLOCK_WORDS + laneOf(slot);
}

/** Int32 index of an entry's other words, from the first block. */
export function entryIndex(slot: number): number {
  return (slot >> 4) * BLOCK_WORDS + BLOCK_META_WORDS + laneOf(slot) * ENTRY_WORDS;
}

/** Number of an entry in its block: by table, then by place. */
function laneOf(slot: number): number {
  return ((slot & 1) << 3) | ((slot >> 1) & 7);
}
