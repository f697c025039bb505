/** Remembers ids across all threads: of any number that claim one new id at once, exactly one gets CLAIM_FRESH; nobody ever waits for a lock. */
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import type { WindowStats } from '../api/report.ts';
import { HeaderWord } from './layout.ts';
import type { Layout } from './layout.ts';
import { WindowClock } from './window-clock.ts';
import { ABANDONED, AGE_NEWER, ENTRY_WORDS, EntryState, EntryWord, metaOf, PAIR_WORDS, STAMP_MASK, STAMP_SHIFT } from './window-table.ts';
import { stampOf, STATE_MASK, TAG_SHIFT, windowBytes, WINDOW_HEADER_BYTES, windowPairs, WindowWord } from './window-table.ts';

export { windowBytes } from './window-table.ts';

/** The id was new: it belongs to this owner now. */
export const CLAIM_FRESH = 0;
/** The id is committed: its owner's slab has settled. */
export const CLAIM_KNOWN = 1;
/** Another claim (of `lastOwner`, which may be the same slab) has not settled yet. */
export const CLAIM_PENDING = 2;
/** No room; the event goes through unclaimed, and main rotates early. */
export const CLAIM_FULL = 3;
/** A claim-log row that names no slot. */
export const NO_SLOT: number = -1;

const MAGIC = 0x4d_52_57_4e; // "MRWN"
const PROBES_MAX = 1_024; // At the load limit a run of places this long has a chance of 1 in 10^10.
const SPINS_MAX = 256; // A reserver needs some ten instructions to publish; one that was preempted gets the sleeps below.
const SLEEP_MS = 1;
const SLEEPS_MAX = 20;
const NOWHERE = -1;
const OUTDATED = -2;

export interface WindowRing {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly layout: Layout;
}

/**
 * Death of a worker. `claim` writes the slot into the claim-log row, then takes the entry by exchange. So whatever instruction a worker dies at, each
 * entry that it published is named by a row below `SlabWord.claims` or by the row at `claims` itself. Roll back all of these rows, inclusive; a row whose slot holds another
 * owner is skipped by `rollBack`. The worker writes NO_SLOT into the next row before it advances `claims`, so that the inclusive row
 * is never left over from an earlier run of this slab. An entry that was reserved and not published holds no id: the next thread that meets it gives up the place, not the id.
 *
 * Order for main: roll back a failed owner's entries first, then move the watermark (`settleBelow`), never the other way.
 */
export class DedupeWindow {
  /** Owner found by the last claim that was known or pending. */
  lastOwner = 0;
  /** The last claim met its id with another body. */
  lastConflict = false;
  readonly key: Uint32Array;
  readonly #words: Int32Array;
  readonly #header: number; // Int32 indexes from here on.
  readonly #entries: number;
  readonly #generationAt: number;
  readonly #settledAt: number;
  readonly #pairs: number;
  readonly #end: number;
  readonly #homeScale: number;
  readonly #probesMax: number;
  readonly #clock: WindowClock;
  #matched = false; // What the last probe found at the entry that it returned, and the meta word it saw there.
  #seen = 0;
  #at = 0;

  constructor({ words, layout }: WindowRing, capacity: number) {
    assert(windowBytes(capacity) <= layout.windowBytes && layout.windowStart % 128 === 0, 'window size');
    this.#words = words;
    this.#header = layout.windowStart / 4;
    this.#entries = this.#header + WINDOW_HEADER_BYTES / 4;
    this.#generationAt = this.#header + WindowWord.generation;
    this.#settledAt = layout.headerStart / 4 + HeaderWord.settled;
    this.#pairs = windowPairs(capacity);
    this.#end = this.#entries + this.#pairs * PAIR_WORDS;
    this.#homeScale = this.#pairs / 4_294_967_296; // Multiply-high range reduction: any number of places will do.
    this.#probesMax = Math.min(PROBES_MAX, this.#pairs);
    this.key = new Uint32Array(words.buffer, layout.windowStart + WindowWord.key * 4, 4);
    this.#clock = new WindowClock({ words, header: this.#header, entries: this.#entries, pairs: this.#pairs, capacity });
  }

  /** Main, once, on fresh memory and before any worker claims: draws the secret key and starts the first generation. */
  format({ windowMs, nowMs }: { readonly windowMs: number; readonly nowMs: number }): void {
    assert.equal(this.#words[this.#header + WindowWord.magic], 0, 'formatted twice');
    this.key.set(new Uint32Array(Uint8Array.from(randomBytes(16)).buffer));
    this.#words[this.#header + WindowWord.pairs] = this.#pairs;
    this.#words[this.#header + WindowWord.magic] = MAGIC;
    this.#clock.start(windowMs, nowMs);
  }

  /** Hot, any thread. `log` is the Int32 index of the claim-log row whose first word gets the slot. */
  claim(fingerprint: Uint32Array, bodyHash: number, owner: number, log: number): number {
    const words = this.#words;
    this.lastConflict = false;
    // Pairs with Ring.settleBelow. Loaded before any entry: a roll-back that preceded this watermark is then surely seen, so a failed id is never "known".
    const settled = Atomics.load(words, this.#settledAt);
    for (;;) {
      // Pairs with the store in WindowClock.rotate: what earlier generations published is visible from here.
      const generation = Atomics.load(words, this.#generationAt);
      const at = this.#probe(fingerprint, generation, true);
      if (at === OUTDATED) continue;
      if (this.#matched) return this.#found(at, bodyHash, settled);
      const seen = this.#seen;
      const older = this.#probe(fingerprint, (generation - 1) | 0, false);
      if (older === OUTDATED) continue;
      if (this.#matched) return this.#found(older, bodyHash, settled);
      if (at === NOWHERE) return this.#full(generation);
      const free = metaOf(fingerprint[0]!, generation);
      words[log] = (at - this.#entries) / ENTRY_WORDS; // Before the exchange: see "Death of a worker".
      // Reserves. Pairs with the same exchange of a rival that saw the same place empty: one wins, the other looks again.
      if (Atomics.compareExchange(words, at, seen, free | EntryState.reserved) !== seen) continue;
      words[at + EntryWord.print1] = fingerprint[1]!;
      words[at + EntryWord.print2] = fingerprint[2]!;
      words[at + EntryWord.print3] = fingerprint[3]!;
      words[at + EntryWord.owner] = owner;
      words[at + EntryWord.body] = bodyHash;
      // Publishes the words above; pairs with the load in #probe. It fails when others gave this thread up for dead: then nothing is claimed here.
      if (Atomics.compareExchange(words, at, free | EntryState.reserved, free | EntryState.live) !== (free | EntryState.reserved)) continue;
      // Pairs with the store in WindowClock.rotate. Unchanged: whoever comes in a later generation sees this entry. Changed: a rival may have looked
      // here before and may be claiming in the new table, so give this one back and meet it there.
      if (Atomics.load(words, this.#generationAt) === generation) {
        if (seen === 0 || (seen & STATE_MASK) !== EntryState.rolledBack || stampAge(seen, stampOf(generation)) !== 0) this.#clock.took(generation);
        return CLAIM_FRESH;
      }
      Atomics.compareExchange(words, at, free | EntryState.live, free | EntryState.rolledBack);
    }
  }

  /** Gives the slot back if it still belongs to `owner`. One thread at a time per owner. */
  rollBack(slot: number, owner: number): boolean {
    if (!(slot >= 0 && slot < 2 * this.#pairs)) return false;
    const at = this.#entries + slot * ENTRY_WORDS;
    const meta = Atomics.load(this.#words, at); // Pairs with the publishing exchange: the owner word read next belongs to it.
    if ((meta & STATE_MASK) !== EntryState.live || this.#words[at + EntryWord.owner] !== (owner | 0)) return false;
    // Pairs with the load in #probe; fails when the place went to a newer generation in between.
    return Atomics.compareExchange(this.#words, at, meta, (meta & ~STATE_MASK) | EntryState.rolledBack) === meta;
  }

  /** Main, recovery: puts an id as committed, also over a pending claim. False = no room: rotate and call again. */
  insert(fingerprint: Uint32Array, bodyHash: number): boolean {
    const committed = (Atomics.load(this.#words, this.#settledAt) - 1) | 0; // Just below the watermark.
    const result = this.claim(fingerprint, bodyHash, committed, this.#header + WindowWord.insertLog);
    if (result === CLAIM_PENDING) Atomics.store(this.#words, this.#at + EntryWord.owner, committed); // Pairs with the owner read in #found.
    return result !== CLAIM_FULL;
  }

  /** Main, often (each committed slab): starts a new generation when it is due or the current one is full. True = it did. */
  rotate(nowMs: number): boolean {
    return this.#clock.rotate(nowMs);
  }

  stats(nowMs: number): WindowStats {
    return this.#clock.stats(nowMs);
  }

  /** Events that went through without a claim because there was no room. */
  get unclaimed(): number {
    return Atomics.load(this.#words, this.#header + WindowWord.unclaimed);
  }

  /** The entry of this id (`#matched`), or the place that it would take (`#seen` = its meta word now), or why there is none. */
  #probe(fingerprint: Uint32Array, generation: number, current: boolean): number {
    const words = this.#words;
    const stamp = stampOf(generation);
    const live = metaOf(fingerprint[0]!, generation) | EntryState.live;
    let at = this.#entries + Math.floor(fingerprint[0]! * this.#homeScale) * PAIR_WORDS + (generation & 1) * ENTRY_WORDS;
    this.#matched = false;
    for (let left = this.#probesMax; left > 0; left -= 1) {
      // Pairs with the publishing exchange in claim: a live entry's other words are complete.
      let meta = Atomics.load(words, at);
      if (current && (meta & STATE_MASK) === EntryState.reserved && meta !== ABANDONED) meta = this.#awaitOther(at, meta, live);
      this.#seen = meta;
      if (meta === 0) return at;
      if (meta === live) {
        this.#matched = this.#sameId(at, fingerprint);
        if (this.#matched) return at;
      } else if (meta !== ABANDONED) {
        const age = stampAge(meta, stamp);
        if (age >= AGE_NEWER) return OUTDATED;
        if (age > 0 && (meta & STATE_MASK) !== EntryState.reserved) return at; // Stale counts as empty.
        if (current && meta === (live | 1) && this.#sameId(at, fingerprint)) return at; // Rolled back: its own id takes it again.
      }
      at += PAIR_WORDS;
      if (at >= this.#end) at -= this.#pairs * PAIR_WORDS;
    }
    return NOWHERE;
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

  #sameId(at: number, fingerprint: Uint32Array): boolean {
    const words = this.#words;
    return (
      words[at + EntryWord.print1] === (fingerprint[1]! | 0) &&
      words[at + EntryWord.print2] === (fingerprint[2]! | 0) &&
      words[at + EntryWord.print3] === (fingerprint[3]! | 0)
    );
  }

  #found(at: number, bodyHash: number, settled: number): number {
    this.#at = at;
    this.lastOwner = Atomics.load(this.#words, at + EntryWord.owner); // Pairs with the store in insert.
    this.lastConflict = this.#words[at + EntryWord.body] !== (bodyHash | 0);
    return ((this.lastOwner - settled) | 0) < 0 ? CLAIM_KNOWN : CLAIM_PENDING;
  }

  #full(generation: number): number {
    Atomics.store(this.#words, this.#header + WindowWord.full, generation); // Pairs with the load in WindowClock.rotate.
    Atomics.add(this.#words, this.#header + WindowWord.unclaimed, 1); // Only counts.
    return CLAIM_FULL;
  }
}

/** How many uses of its table ago the entry was written, modulo 256. */
function stampAge(meta: number, stamp: number): number {
  return (stamp - (meta >>> STAMP_SHIFT)) & STAMP_MASK;
}
