/** Plain NDJSON records through the kernel, some hundred at a time: it encodes and hashes them in one call, here they are claimed and appended. */
import type { EventTaker } from './events.ts';
import type { Kernel } from './kernel-host.ts';
import { KernelStop, PICKS_MAX, ROW_WORDS, RowWord } from './kernel-layout.ts';
import type { Picks, Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import type { Splitter } from '../src/codec/splitter.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

/** Ids looked at before they are claimed: their misses of cache overlap. */
const AHEAD = 16;

export class FastPath implements Picks {
  readonly pickStart: Int32Array = new Int32Array(PICKS_MAX);
  readonly pickEnd: Int32Array = new Int32Array(PICKS_MAX);
  /** Where the record begins that the kernel did not take, or the end of the run. */
  next = 0;
  /** Keeps the looking-ahead alive; means nothing. */
  touched = 0;
  readonly #kernel: Kernel;
  readonly #run: Run;
  readonly #taker: EventTaker;
  readonly #window: DedupeWindow | null;
  #picks = 0;
  #windowed = false;

  constructor(kernel: Kernel, run: Run, taker: EventTaker, window: DedupeWindow | null) {
    this.#kernel = kernel;
    this.#run = run;
    this.#taker = taker;
    this.#window = window;
  }

  /** True when the pipeline is one for the kernel: NDJSON, no user code, simple paths. */
  aim({ description, user, paths, idPick }: Pipeline, version: number): boolean {
    if (description.format !== 'ndjson' || user !== null) return false;
    this.#windowed = description.windowed && this.#window !== null;
    this.#picks = paths.length;
    return this.#kernel.aim(version, paths, { withId: idPick === 0 && this.#windowed, key: this.#window?.key ?? null });
  }

  /** Takes records from `from` until one is not for the kernel or the run ends; false = no room for the record at `next`. */
  run(from: number, splitter: Splitter): boolean {
    const kernel = this.#kernel;
    const run = this.#run;
    kernel.lines = splitter.lines;
    for (this.next = from; ; ) {
      const stop = kernel.run(this.next, run.inEnd, run.scratchAt, run.scratchEnd);
      if (!this.#takeRows(kernel.rows, splitter)) return false;
      run.scratchAt = kernel.out;
      this.next = kernel.next;
      if (stop === KernelStop.rows) continue;
      // Blank lines before a record that is not for the kernel are seen again by the splitter.
      splitter.lines = stop === KernelStop.end ? kernel.lines : this.#linesTaken;
      return true;
    }
  }

  #linesTaken = 0;

  #takeRows(rows: number, splitter: Splitter): boolean {
    const { words } = this.#run;
    const taker = this.#taker;
    let row = this.#kernel.rowsStart / 4;
    this.#linesTaken = splitter.lines;
    for (let index = 0; index < rows; index += 1) {
      if (index % AHEAD === 0 && this.#windowed) this.#lookAhead(row, Math.min(AHEAD, rows - index));
      taker.start = words[row + RowWord.start]! >>> 0;
      taker.end = taker.next = words[row + RowWord.next]! >>> 0;
      taker.line = words[row + RowWord.line]!;
      for (let pick = 0; pick < this.#picks; pick += 1) {
        this.pickStart[pick] = words[row + RowWord.picks + 2 * pick]!;
        this.pickEnd[pick] = words[row + RowWord.picks + 2 * pick + 1]!;
      }
      if (!taker.takeRow(row, this)) {
        this.next = taker.start;
        splitter.lines = splitter.recordLine = taker.line;
        return false;
      }
      taker.record += 1;
      this.#linesTaken = taker.line + 1;
      row += ROW_WORDS;
    }
    splitter.lines = this.#linesTaken;
    return true;
  }

  #lookAhead(first: number, rows: number): void {
    const { words } = this.#run;
    let touched = this.touched;
    for (let index = 0; index < rows; index += 1) touched ^= this.#window!.touch(words[first + index * ROW_WORDS + RowWord.print]! >>> 0);
    this.touched = touched;
  }
}
