/** Remembers ids across all threads: of any number that claim one new id at once, exactly one gets CLAIM_FRESH; nobody ever waits for a lock. */
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import type { WindowStats } from '../api/report.ts';
import { HeaderWord } from './header-page.ts';
import type { Layout } from './layout.ts';
import { WindowClock } from './window-clock.ts';
import { NOWHERE, OUTDATED, WindowProbe } from './window-probe.ts';
import {
  entryIndex,
  EntryState,
  EntryWord,
  metaIndex,
  metaOf,
  STATE_MASK,
  windowBytes,
  WINDOW_HEADER_BYTES,
  windowPlaces,
  WindowWord,
} from './window-table.ts';

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
const AGAIN = -1;

export interface WindowRing {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly layout: Layout;
}

/**
 * Death of a worker. `claim` writes the slot into the claim-log row, then takes the entry by exchange. So whatever instruction a worker dies at, each
 * entry that it published is named by a row below `SlabWord.claims` or by the row at `claims` itself. Roll back all of these rows, inclusive;
 * `rollBack` skips a row whose slot holds another owner. The worker writes NO_SLOT into the next row before it advances `claims`, so that the inclusive row
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
  // Int32 indexes; the kernel needs them too.
  readonly entriesAt: number;
  readonly generationAt: number;
  readonly settledAt: number;
  readonly places: number;
  readonly #words: Int32Array;
  readonly #header: number;
  readonly #probe: WindowProbe;
  readonly #clock: WindowClock;
  #at = 0;

  constructor({ words, layout }: WindowRing, capacity: number) {
    assert(windowBytes(capacity) <= layout.windowBytes && layout.windowStart % 128 === 0, 'window size');
    this.#words = words;
    this.#header = layout.windowStart / 4;
    this.entriesAt = this.#header + WINDOW_HEADER_BYTES / 4;
    this.generationAt = this.#header + WindowWord.generation;
    this.settledAt = layout.headerStart / 4 + HeaderWord.settled;
    this.places = windowPlaces(capacity);
    this.#probe = new WindowProbe(words, this.entriesAt, this.places);
    this.key = new Uint32Array(words.buffer, layout.windowStart + WindowWord.key * 4, 4);
    this.#clock = new WindowClock({ words, header: this.#header, entries: this.entriesAt, places: this.places, capacity });
  }

  /** Main, once, on fresh memory and before any worker claims: draws the secret key and starts the first generation. */
  format({ windowMs, nowMs }: { readonly windowMs: number; readonly nowMs: number }): void {
    assert.equal(this.#words[this.#header + WindowWord.magic], 0, 'formatted twice');
    this.key.set(new Uint32Array(Uint8Array.from(randomBytes(16)).buffer));
    this.#words[this.#header + WindowWord.places] = this.places;
    this.#words[this.#header + WindowWord.magic] = MAGIC;
    this.#clock.start(windowMs, nowMs);
  }

  /** Hot, any thread. `log` is the Int32 index of the claim-log row whose first word gets the slot. */
  claim(fingerprint: Uint32Array, bodyHash: number, owner: number, log: number): number {
    const words = this.#words;
    const print0 = fingerprint[0]!;
    this.lastConflict = false;
    for (;;) {
      // Pairs with the store in WindowClock.rotate: what earlier generations published is visible from here.
      const generation = Atomics.load(words, this.generationAt);
      const slot = this.#probe.find(print0, fingerprint, generation, true);
      const seen = this.#probe.seen;
      let older = slot;
      if (!this.#probe.matched && slot !== OUTDATED) older = this.#probe.find(print0, fingerprint, (generation - 1) | 0, false);
      if (older === OUTDATED) continue;
      if (this.#probe.matched) {
        const found = this.#found(older, bodyHash);
        if (found === AGAIN) continue;
        return found;
      }
      if (slot === NOWHERE) return this.#full(generation);
      const reserved = metaOf(print0, generation) | EntryState.reserved;
      const meta = this.entriesAt + metaIndex(slot);
      words[log] = slot; // Before the exchange: see "Death of a worker".
      // Reserves. Pairs with the same exchange of a rival that saw the same place empty: one wins, the other looks again.
      if (Atomics.compareExchange(words, meta, seen, reserved) !== seen) continue;
      const at = this.entriesAt + entryIndex(slot);
      words[at + EntryWord.print1] = fingerprint[1]!;
      words[at + EntryWord.print2] = fingerprint[2]!;
      words[at + EntryWord.print3] = fingerprint[3]!;
      words[at + EntryWord.owner] = owner;
      words[at + EntryWord.body] = bodyHash;
      if (this.#publish(meta, reserved, generation)) {
        if ((seen ^ (reserved | EntryState.rolledBack)) !== 0) this.#clock.took(generation, 1); // Its own rolled-back entry was counted before.
        return CLAIM_FRESH;
      }
    }
  }

  /** The generation that a claim would go to now. */
  get generation(): number {
    return Atomics.load(this.#words, this.generationAt); // Pairs with the store in WindowClock.rotate.
  }

  /** The kernel made so many fresh claims in this generation. */
  took(generation: number, claims: number): void {
    this.#clock.took(generation, claims);
  }

  /** Gives the slot back if it still belongs to `owner`. One thread at a time per owner. */
  rollBack(slot: number, owner: number): boolean {
    if (!(slot >= 0 && slot < 2 * this.places)) return false;
    const at = this.entriesAt + metaIndex(slot);
    const meta = Atomics.load(this.#words, at); // Pairs with the publishing exchange: the owner word read next belongs to it.
    if ((meta & STATE_MASK) !== EntryState.live || this.#words[this.entriesAt + entryIndex(slot) + EntryWord.owner] !== (owner | 0))
      return false;
    // Pairs with the load in the probe and #found; fails when the place went to a newer generation in between.
    return Atomics.compareExchange(this.#words, at, meta, (meta & ~STATE_MASK) | EntryState.rolledBack) === meta;
  }

  /** Main, recovery: puts an id as committed, also over a pending claim. False = no room: rotate and call again. */
  insert(fingerprint: Uint32Array, bodyHash: number): boolean {
    const committed = (Atomics.load(this.#words, this.settledAt) - 1) | 0; // Just below the watermark.
    const result = this.claim(fingerprint, bodyHash, committed, this.#header + WindowWord.insertLog);
    if (result === CLAIM_PENDING) Atomics.store(this.#words, this.#at + EntryWord.owner, committed); // Pairs with the read in #found.
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

  /** False = the reservation was given up for dead, or a generation began meanwhile: claim again from the start. */
  #publish(at: number, reserved: number, generation: number): boolean {
    const words = this.#words;
    const live = (reserved & ~STATE_MASK) | EntryState.live;
    // Publishes the entry's words; pairs with the loads in the probe and #found. It fails when others gave this thread up for dead.
    if (Atomics.compareExchange(words, at, reserved, live) !== reserved) return false;
    // Pairs with the store in WindowClock.rotate. Unchanged: whoever comes in a later generation sees this entry. Changed: a rival may have looked
    // here before and may be claiming in the new table, so give this one back and meet it there.
    if (Atomics.load(words, this.generationAt) === generation) return true;
    Atomics.compareExchange(words, at, live, live | 1);
    return false;
  }

  /** What the entry says, or AGAIN when it changed since the probe. */
  #found(slot: number, bodyHash: number): number {
    const words = this.#words;
    // Pairs with Ring.settleBelow. Loaded before the entry: a roll-back that preceded this watermark is then surely seen, so a failed id is never "known".
    const settled = Atomics.load(words, this.settledAt);
    if (Atomics.load(words, this.entriesAt + metaIndex(slot)) !== this.#probe.seen) return AGAIN; // Pairs with the exchanges of claim and rollBack.
    const at = this.entriesAt + entryIndex(slot);
    this.#at = at;
    this.lastOwner = words[at + EntryWord.owner]!;
    this.lastConflict = words[at + EntryWord.body] !== (bodyHash | 0);
    return ((this.lastOwner - settled) | 0) < 0 ? CLAIM_KNOWN : CLAIM_PENDING;
  }

  #full(generation: number): number {
    Atomics.store(this.#words, this.#header + WindowWord.full, generation); // Pairs with the load in WindowClock.rotate.
    Atomics.add(this.#words, this.#header + WindowWord.unclaimed, 1); // Only counts.
    return CLAIM_FULL;
  }
}
