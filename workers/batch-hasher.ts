/** The id of a batch is the identity of its contents: a 128-bit unkeyed hash of subject, count and the event ids in order. */
import type { Kernel } from './kernel-host.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { Hash128, hashHex, PUBLIC_KEY } from '../src/codec/hash.ts';
import { EventWord } from '../src/memory/event-table.ts';

/** Events of one subject from row `first` to before row `after`, as a list. */
export interface BatchPart {
  readonly subject: number;
  readonly first: number;
  readonly after: number;
  readonly count: number;
}

export class BatchHasher {
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  readonly #kernel: Kernel | null;
  readonly #hash: Hash128 = new Hash128();
  readonly #digest: Uint32Array = new Uint32Array(4);
  readonly #hex: Uint8Array = new Uint8Array(32);
  readonly #number: Uint8Array = new Uint8Array(4);

  constructor(run: Run, subjects: SubjectTable, kernel: Kernel | null) {
    this.#run = run;
    this.#subjects = subjects;
    this.#kernel = kernel;
  }

  /** 32 hex digits; valid until the next call. The kernel's and ours are the same bits. */
  hex(part: BatchPart): Uint8Array {
    const start = this.#subjects.start[part.subject]!;
    const end = start + this.#subjects.length[part.subject]!;
    if (this.#kernel === null) this.#digestIds(part, start, end);
    else {
      const at = this.#kernel.hashBatch(start, end, part.count, part) / 4;
      for (let index = 0; index < 4; index += 1) this.#digest[index] = this.#run.words[at + index]!;
    }
    hashHex(this.#digest, this.#hex, 0);
    return this.#hex;
  }

  #digestIds({ first, after, count }: BatchPart, subjectStart: number, subjectEnd: number): void {
    const { words, bytes } = this.#run;
    const hash = this.#hash;
    hash.reset(PUBLIC_KEY); // Unkeyed: it must be the same in every process.
    hash.update(bytes, subjectStart, subjectEnd);
    hash.update(this.#numberBytes(count), 0, 4);
    for (let row = first; row !== after; row = words[row + EventWord.next]!) {
      // The length goes first, so that "ab","c" is not "a","bc".
      hash.update(this.#numberBytes(words[row + EventWord.idEnd]! - words[row + EventWord.idStart]!), 0, 4);
      hash.update(bytes, words[row + EventWord.idStart]!, words[row + EventWord.idEnd]!);
    }
    hash.digest(this.#digest);
  }

  #numberBytes(value: number): Uint8Array {
    for (let index = 0; index < 4; index += 1) this.#number[index] = value >>> (8 * index);
    return this.#number;
  }
}
