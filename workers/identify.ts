/** Gives an event its id (as text, in shared memory) and claims it in the dedupe window; nothing here allocates. */
import { bodyHash } from './body-hash.ts';
import { RowWord } from './kernel-layout.ts';
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import { reasonCode } from '../src/api/reject-reasons.ts';
import { hash128, hashHex } from '../src/codec/hash.ts';
import { scalarText } from '../src/codec/scalar-text.ts';
import { CLAIM_WORDS, ID_TEXT_BYTES_MAX, SlabWord } from '../src/memory/layout.ts';
import { CLAIM_FRESH, CLAIM_FULL, CLAIM_KNOWN, NO_SLOT } from '../src/memory/window.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

const MISSING_ID = reasonCode('missing_id');
const INVALID_ID = reasonCode('invalid_id');
const ZERO_KEY = new Uint32Array(4); // Ids are unkeyed and stable; only the window's fingerprints are keyed.

export const IDENTITY_FRESH = 0;
export const IDENTITY_DUPLICATE = 1;
export const IDENTITY_TENTATIVE = 2;

export class Identifier {
  /** Range of the id's text, absolute; start -1 = the event has none. */
  start = -1;
  end = -1;
  /** Row of the claim log that the event's claim is in, -1 = none. */
  claimed = -1;
  /** Row of the kernel (Int32 index) that has the fingerprint already, -1 = none. */
  row = -1;
  /** Sequence of the pending owner after IDENTITY_TENTATIVE. */
  owner = 0;
  readonly #run: Run;
  readonly #window: DedupeWindow | null;
  readonly #hash: Uint32Array = new Uint32Array(4);
  readonly #view: DataView;

  constructor(run: Run, window: DedupeWindow | null) {
    this.#run = run;
    this.#window = window;
    this.#view = new DataView(run.bytes.buffer);
  }

  /** Id given with the record (frames). */
  given(start: number, end: number): number {
    if (end - start > ID_TEXT_BYTES_MAX) return INVALID_ID;
    this.start = end > start ? start : -1;
    this.end = end;
    return 0;
  }

  /** Finds or makes the id by the pipeline's rule; 0, or the reason why it cannot. */
  byRule(
    { description, idPick }: Pipeline,
    picks: { readonly pickStart: Int32Array; readonly pickEnd: Int32Array },
    start: number,
    end: number,
  ): number {
    this.start = -1;
    if (this.row >= 0 && this.#run.words[this.row + RowWord.idStart] !== 0) {
      this.start = this.#run.words[this.row + RowWord.idStart]! >>> 0;
      this.end = this.#run.words[this.row + RowWord.idEnd]! >>> 0;
      if (this.end - this.start > ID_TEXT_BYTES_MAX) return INVALID_ID;
      return description.framing === 'each' ? this.#headerSafe() : 0;
    }
    if (idPick >= 0) {
      const reason = this.#field(picks.pickStart[idPick]!, picks.pickEnd[idPick]!);
      return reason === 0 && description.framing === 'each' ? this.#headerSafe() : reason;
    }
    if (description.id === 'hash') {
      hash128(this.#run.bytes, start, end, ZERO_KEY, this.#hash);
      this.#take(hashHex(this.#hash, this.#run.bytes, this.#run.idAt));
    } else if (description.id === 'time') this.#time(description.nonce);
    return 0;
  }

  /** Claims the id for this slab. What the window cannot hold goes through unclaimed. */
  claim(windowed: boolean, start: number, end: number): number {
    const run = this.#run;
    const window = this.#window;
    this.claimed = -1;
    if (this.start < 0 || !windowed || window === null) return IDENTITY_FRESH;
    let body = 0;
    if (this.row >= 0 && run.words[this.row + RowWord.idStart] !== 0) {
      body = run.words[this.row + RowWord.body]!;
      for (let index = 0; index < 4; index += 1) this.#hash[index] = run.words[this.row + RowWord.print + index]!;
    } else {
      body = bodyHash(this.#view, start, end);
      hash128(run.bytes, this.start, this.end, window.key, this.#hash);
    }
    const outcome = window.claim(this.#hash, body, run.sequence, run.nextClaim());
    if (window.lastConflict) run.conflicts += 1;
    if (outcome === CLAIM_FRESH) {
      this.claimed = run.claims;
      run.words[run.nextClaim() + CLAIM_WORDS] = NO_SLOT; // The row after it is in main's reach too; see DedupeWindow.
      run.claims += 1;
      run.words[run.header + SlabWord.claims] = run.claims; // Main rolls back this many and one more when the worker dies.
      return IDENTITY_FRESH;
    }
    if (outcome === CLAIM_FULL) return IDENTITY_FRESH;
    if (outcome === CLAIM_KNOWN) return IDENTITY_DUPLICATE;
    this.owner = window.lastOwner;
    return IDENTITY_TENTATIVE;
  }

  /** The id becomes a header's value: a control character in it would be a header of the sender's choice. */
  #headerSafe(): number {
    for (let at = this.start; at < this.end; at += 1) if (this.#run.bytes[at]! < 0x20 || this.#run.bytes[at] === 0x7f) return INVALID_ID;
    return 0;
  }

  /** A string is its own text where it lies; numbers and booleans get theirs written. */
  #field(start: number, end: number): number {
    const run = this.#run;
    if (start < 0) return MISSING_ID;
    const head = run.bytes[start]!;
    const skip = head >= 0xa0 && head < 0xc0 ? 1 : head === 0xd9 ? 2 : head === 0xda ? 3 : head === 0xdb ? 5 : 0;
    if (skip > 0) {
      if (end - start === skip || end - start - skip > ID_TEXT_BYTES_MAX) return INVALID_ID;
      this.start = start + skip;
      this.end = end;
      return 0;
    }
    const next = scalarText(run.bytes, start, end, run.bytes, run.idAt, run.idAt + ID_TEXT_BYTES_MAX);
    if (next <= run.idAt) return INVALID_ID;
    this.#take(next);
    return 0;
  }

  /** Sortable by time, unique by nonce, sequence, run and event. Not on the hot path of bytes with a field id. */
  #time(nonce: string): void {
    const run = this.#run;
    const text = `${Date.now().toString(16).padStart(12, '0')}-${nonce}-${run.sequence >>> 0}-${run.words[run.header + SlabWord.run]}-${run.events}`;
    for (let index = 0; index < text.length; index += 1) run.bytes[run.idAt + index] = text.charCodeAt(index);
    this.#take(run.idAt + text.length);
  }

  #take(next: number): void {
    this.start = this.#run.idAt;
    this.end = next;
    this.#run.idAt = next;
  }
}
