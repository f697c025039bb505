/** The distinct subjects of one run, each with the list of its events in record order; open addressing, no strings. */
import type { Run } from './run.ts';
import { EventWord } from '../src/memory/event-table.ts';

export class SubjectTable {
  count = 0;
  /** Bytes of the subject, absolute. */
  readonly start: Int32Array;
  readonly length: Int32Array;
  /** First event row of the subject (Int32 index), -1 = none. */
  readonly head: Int32Array;
  readonly #tail: Int32Array;
  readonly #slots: Int32Array;
  readonly #used: Int32Array; // Slots to clear afterwards: cheaper than wiping the whole table for a handful of subjects.
  readonly #mask: number;
  readonly #run: Run;

  constructor(run: Run, subjectsMax: number) {
    this.#run = run;
    const slots = 2 ** Math.ceil(Math.log2(subjectsMax * 2));
    this.#mask = slots - 1;
    this.#slots = new Int32Array(slots).fill(-1);
    this.#used = new Int32Array(subjectsMax);
    this.start = new Int32Array(subjectsMax);
    this.length = new Int32Array(subjectsMax);
    this.head = new Int32Array(subjectsMax);
    this.#tail = new Int32Array(subjectsMax);
  }

  reset(): void {
    for (let index = 0; index < this.count; index += 1) this.#slots[this.#used[index]!] = -1;
    this.count = 0;
  }

  /** Copies given bytes to the run's text area and interns them; -1 = no room. */
  internBytes(subject: Uint8Array): number {
    const run = this.#run;
    if (run.textAt + subject.length > run.textEnd) return -1;
    run.bytes.set(subject, run.textAt);
    return this.intern(run.textAt + subject.length);
  }

  /** Interns the bytes from the run's `textAt` to `end`; they stay in the text area only when they are new. */
  intern(end: number): number {
    const { bytes, textAt } = this.#run;
    let slot = hashOf(bytes, textAt, end) & this.#mask;
    for (let known = this.#slots[slot]!; known >= 0; known = this.#slots[slot]!) {
      if (this.length[known] === end - textAt && same(bytes, this.start[known]!, textAt, end - textAt)) return known;
      slot = (slot + 1) & this.#mask;
    }
    const index = this.count;
    if (index === this.#used.length) return -1;
    this.count += 1;
    this.#slots[slot] = index;
    this.#used[index] = slot;
    this.start[index] = textAt;
    this.length[index] = end - textAt;
    this.head[index] = -1;
    this.#run.textAt = end;
    return index;
  }

  /** Appends an event row to its subject's list. */
  append(subject: number, row: number): void {
    if (this.head[subject] === -1) this.head[subject] = row;
    else this.#run.words[this.#tail[subject]! + EventWord.next] = row;
    this.#tail[subject] = row;
  }

  /** The same for rows that are linked to each other. */
  appendList(subject: number, first: number, last: number): void {
    this.append(subject, first);
    this.#tail[subject] = last;
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function same(bytes: Uint8Array, left: number, right: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[left + index] !== bytes[right + index]) return false;
  return true;
}
