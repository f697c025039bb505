/** Subjects as strings. Neighbours mostly have the same, and a string is made anew only when its bytes are other ones. */
import { BatchWord } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

export class SubjectText {
  readonly #ring: Ring;
  #text = '';
  #bytes = new Uint8Array(0);
  #sequence = -1; // Of the slab, and where in it the subject lies.
  #start = -1;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /** The bytes at the place that was asked for last may be others now. */
  forget(): void {
    this.#start = -1;
  }

  /** Of the batch at `row` (Int32 index) in the slab that has this sequence. */
  of(sequence: number, row: number): string {
    const { words, bytes } = this.#ring;
    const start = words[row + BatchWord.subjectStart]! >>> 0;
    if (start === this.#start && sequence === this.#sequence) return this.#text;
    this.#start = start;
    this.#sequence = sequence;
    const length = words[row + BatchWord.subjectBytes]!;
    if (!this.#isSame(start, length)) {
      this.#bytes = bytes.slice(start, start + length);
      this.#text = Buffer.from(this.#bytes).toString('utf8');
    }
    return this.#text;
  }

  #isSame(start: number, length: number): boolean {
    if (this.#bytes.length !== length) return false;
    for (let index = 0; index < length; index += 1) if (this.#bytes[index] !== this.#ring.bytes[start + index]) return false;
    return true;
  }
}
