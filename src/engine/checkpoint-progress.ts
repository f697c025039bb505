/** How far one source is settled without a hole: the checkpoint never names a position beyond a slab that is not settled. */
import type { FileSource } from './source-file.ts';
import type { CheckpointEntry } from '../resilience/checkpoint.ts';
import type { ResumePoint } from '../resilience/resume-point.ts';

interface Stretch {
  readonly end: number;
  /** Newest stored sequence that was known when it was dispatched: what is stored of it comes after. */
  readonly sequence: number;
  lines: number;
  settled: boolean;
}

export interface ProgressOptions {
  readonly key: string;
  /** Held open until all is settled, so that a file that is replaced meanwhile is not taken for this one. */
  readonly file: FileSource;
  readonly compressed: boolean;
  readonly start: ResumePoint;
  /** Newest stored sequence that is known; null = the target has none. */
  readonly lastSequence: () => number | null;
}

export class SourceProgress {
  readonly key: string;
  readonly start: ResumePoint;
  readonly #options: ProgressOptions;
  readonly #stretches: Map<number, Stretch> = new Map(); // By slab sequence, in order.
  #position: number;
  #lines: number;
  #frozen = false;
  #begun = false;
  #filled = false;
  #saved = -1;

  constructor(options: ProgressOptions) {
    this.key = options.key;
    this.start = options.start;
    this.#options = options;
    this.#position = options.start.position;
    this.#lines = options.start.lines;
  }

  /** What is stored is known as far as it will be: from here on an entry says the truth about sequences too. */
  begun(): void {
    this.#begun = true;
  }

  /** A slab goes out that holds the source up to `end`. */
  dispatched(slabSequence: number, end: number): void {
    this.#stretches.set(slabSequence, { end, sequence: this.#options.lastSequence() ?? 0, lines: 0, settled: false });
  }

  released(slabSequence: number, lines: number): void {
    const stretch = this.#stretches.get(slabSequence);
    if (stretch === undefined || this.#frozen) return;
    stretch.settled = true;
    stretch.lines = lines;
    for (const [sequence, first] of this.#stretches) {
      if (!first.settled) return;
      this.#position = first.end;
      this.#lines = first.lines;
      this.#stretches.delete(sequence);
    }
  }

  /** What is released from now on was given up, and not settled. */
  freeze(): void {
    this.#frozen = true;
  }

  /** No more slabs come. */
  filled(): void {
    this.#filled = true;
  }

  /** Nothing will change any more. */
  get done(): boolean {
    return this.#filled && (this.#stretches.size === 0 || this.#frozen);
  }

  /** This entry is on disk. */
  saved({ position }: CheckpointEntry): void {
    this.#saved = position;
  }

  /** Null = as it was saved. */
  async entry(): Promise<CheckpointEntry | null> {
    const { file, compressed, start, lastSequence } = this.#options;
    const [position, lines] = [this.#position, this.#lines];
    const known = lastSequence();
    const first: Stretch | undefined = this.#stretches.values().next().value;
    if (position === this.#saved || !this.#begun) return null;
    const hashBefore = compressed ? null : await file.hashBefore(position);
    const sequence = known === null ? null : (first?.sequence ?? known);
    return { identity: file.identity, generation: start.generation, position, lines, bytesTotal: file.bytesTotal, hashBefore, sequence };
  }

  close(): Promise<void> {
    return this.#options.file.close();
  }
}
