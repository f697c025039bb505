/** Tells which events of a run were stored before this process: those whose record begins in a stored range of their subject. Costs one comparison where there are none. */
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { hash128, PUBLIC_KEY } from '../src/codec/hash.ts';
import { SlabWord } from '../src/memory/layout.ts';
import { StoredRangeTable } from '../src/memory/stored-ranges.ts';

export class StoredFilter {
  /** False = nothing to look up in this run. */
  active = false;
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  readonly #table: StoredRangeTable;
  readonly #hash: Uint32Array = new Uint32Array(4);
  readonly #subject = { hashLow: 0, hashHigh: 0 };
  #hashed = -1; // Subject whose hash is at hand: neighbours mostly have the same.
  #slot = 0;
  #offset = 0;

  constructor(run: Run, subjects: SubjectTable) {
    this.#run = run;
    this.#subjects = subjects;
    this.#table = new StoredRangeTable(run.ring);
  }

  open(): void {
    const { words, header } = this.#run;
    this.#slot = words[header + SlabWord.pipeline]!;
    this.active = this.#table.count(this.#slot) > 0;
    this.#offset = this.#run.offset - this.#run.inStart;
    this.#hashed = -1;
  }

  /** `recordStart` is absolute. */
  isStored(subject: number, recordStart: number): boolean {
    if (subject !== this.#hashed) {
      const start = this.#subjects.start[subject]!;
      hash128(this.#run.bytes, start, start + this.#subjects.length[subject]!, PUBLIC_KEY, this.#hash);
      this.#subject.hashLow = this.#hash[0]! | 0;
      this.#subject.hashHigh = this.#hash[1]! | 0;
      this.#hashed = subject;
    }
    return this.#table.covers(this.#slot, this.#subject, this.#offset + recordStart);
  }
}
