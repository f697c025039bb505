/** Which stretches of a source are stored already, by subject: written by main before a slab of the source runs, looked up by workers. */
import { strict as assert } from 'node:assert';
import { PIPELINES_MAX, STORED_RANGES_BYTES } from './layout.ts';
import type { Ring } from './ring.ts';

/** Words of a row: two of the subject's hash, then first and end byte, each low and high 32 bits. */
export const STORED_RANGE_WORDS = 6;
/** One entry per pipeline slot: first row and rows. */
const DIRECTORY_WORDS: number = 2 * PIPELINES_MAX;
export const STORED_RANGES_MAX: number = Math.floor((STORED_RANGES_BYTES / 4 - DIRECTORY_WORDS) / STORED_RANGE_WORDS);

export interface StoredRange {
  readonly hashLow: number;
  readonly hashHigh: number;
  readonly from: number;
  readonly to: number;
}

export class StoredRangeTable {
  readonly #words: Int32Array;
  readonly #directory: number;
  readonly #rows: number;
  #used = 0; // Main only. Rows are never given back: slabs in flight may still look at them.

  constructor({ words, layout }: Pick<Ring, 'words' | 'layout'>) {
    this.#words = words;
    this.#directory = layout.storedRangesStart / 4;
    this.#rows = this.#directory + DIRECTORY_WORDS;
  }

  /** Main: sorts and writes the ranges of a pipeline's source; those of one subject must not overlap. False = they do not fit. */
  write(slot: number, ranges: readonly StoredRange[]): boolean {
    assert(slot >= 0 && slot < PIPELINES_MAX, 'pipeline slot');
    if (this.#used + ranges.length > STORED_RANGES_MAX) return false;
    const sorted = [...ranges].sort((a, b) => a.hashLow - b.hashLow || a.hashHigh - b.hashHigh || a.from - b.from);
    for (const [index, range] of sorted.entries()) this.#put(this.#rows + (this.#used + index) * STORED_RANGE_WORDS, range);
    // Workers see it with the message that names a slab of this pipeline.
    this.#words[this.#directory + 2 * slot] = this.#used;
    this.#words[this.#directory + 2 * slot + 1] = sorted.length;
    this.#used += sorted.length;
    return true;
  }

  /** Worker: how many ranges the source of this pipeline has; 0 in all but a run after a restart. */
  count(slot: number): number {
    return this.#words[this.#directory + 2 * slot + 1]!;
  }

  /** Worker: is the record that begins at `offset` in a stored range of the subject? */
  covers(slot: number, subject: Pick<StoredRange, 'hashLow' | 'hashHigh'>, offset: number): boolean {
    let low = this.#words[this.#directory + 2 * slot]!;
    const first = low;
    let high = low + this.count(slot);
    // The last row that is not after (subject, offset).
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isAfter(middle, subject, offset)) high = middle;
      else low = middle + 1;
    }
    if (low === first) return false;
    const at = this.#rows + (low - 1) * STORED_RANGE_WORDS;
    return this.#words[at] === subject.hashLow && this.#words[at + 1] === subject.hashHigh && offset < this.#number(at + 4);
  }

  #isAfter(row: number, { hashLow, hashHigh }: Pick<StoredRange, 'hashLow' | 'hashHigh'>, offset: number): boolean {
    const at = this.#rows + row * STORED_RANGE_WORDS;
    if (this.#words[at] !== hashLow) return this.#words[at]! > hashLow;
    if (this.#words[at + 1] !== hashHigh) return this.#words[at + 1]! > hashHigh;
    return this.#number(at + 2) > offset;
  }

  #number(at: number): number {
    return (this.#words[at]! >>> 0) + this.#words[at + 1]! * 2 ** 32;
  }

  #put(at: number, { hashLow, hashHigh, from, to }: StoredRange): void {
    this.#words[at] = hashLow;
    this.#words[at + 1] = hashHigh;
    for (const [index, value] of [from, to].entries()) {
      this.#words[at + 2 + 2 * index] = value | 0;
      this.#words[at + 3 + 2 * index] = Math.floor(value / 2 ** 32);
    }
  }
}
