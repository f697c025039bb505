/** Plain NDJSON records through the kernel, some hundred at a time: it encodes and hashes them in one call, here they are claimed and appended. */
import type { EventTaker } from './events.ts';
import type { Kernel } from './kernel-host.ts';
import { KernelId, KernelStop, PICKS_MAX, ROW_WORDS, RowWord } from './kernel-layout.ts';
import type { Picks, Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import type { Splitter } from '../src/codec/splitter.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

/** Ids looked at before they are claimed: their misses of cache overlap. */
const AHEAD = 16;
/** Calls in vain, one after the other, that are free; and those after which the pauses no longer grow (64 records). */
const MISSES_FREE = 4;
const MISSES_MAX: number = MISSES_FREE + 6;

export class FastPath implements Picks {
  readonly pickStart: Int32Array = new Int32Array(PICKS_MAX);
  readonly pickEnd: Int32Array = new Int32Array(PICKS_MAX);
  /** Where the record begins that was not taken, or the end of the run. */
  next = 0;
  /** Keeps the looking-ahead alive; means nothing. */
  touched = 0;
  readonly #kernel: Kernel;
  readonly #run: Run;
  readonly #taker: EventTaker;
  readonly #window: DedupeWindow | null;
  #picks = 0;
  #windowed = false;
  #misses = 0;
  #pause = 0;

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
    const id = description.id === 'hash' ? KernelId.hash : idPick === 0 ? KernelId.field : KernelId.none;
    return this.#kernel.aim(version, paths, { id, key: this.#windowed ? this.#window!.key : null });
  }

  /** Takes records from `from` until one is not for the kernel or has no room, or the run ends; that one is for the splitter, at `next`. */
  run(from: number, splitter: Splitter): void {
    const kernel = this.#kernel;
    const run = this.#run;
    this.next = from;
    if (this.#pause > 0) {
      this.#pause -= 1;
      return;
    }
    kernel.lines = splitter.lines;
    for (;;) {
      kernel.setTexts(run.idAt, run.idEnd);
      const stop = kernel.run(this.next, run.inEnd, run.scratchAt, run.scratchEnd);
      const { rows } = kernel;
      run.idAt = kernel.textAt;
      if (!this.#takeRows(rows)) {
        splitter.lines = this.#taker.line;
        return;
      }
      run.scratchAt = kernel.out;
      this.next = kernel.next;
      if (stop === KernelStop.rows) continue;
      splitter.lines = kernel.lines;
      if (stop === KernelStop.slow) this.#judge(rows);
      return;
    }
  }

  /** Where hardly any record is for the kernel it is asked less and less often, so that asking in vain costs next to nothing. */
  #judge(rows: number): void {
    this.#misses = rows > 0 ? 0 : Math.min(this.#misses + 1, MISSES_MAX);
    if (this.#misses > MISSES_FREE) this.#pause = 2 ** (this.#misses - MISSES_FREE);
  }

  #takeRows(rows: number): boolean {
    const run = this.#run;
    const { words } = run;
    const taker = this.#taker;
    let row = this.#kernel.rowsStart / 4;
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
        run.scratchAt = words[row + RowWord.outStart]! >>> 0;
        return false;
      }
      taker.record += 1;
      row += ROW_WORDS;
    }
    return true;
  }

  #lookAhead(first: number, rows: number): void {
    const { words } = this.#run;
    let touched = this.touched;
    for (let index = 0; index < rows; index += 1) touched ^= this.#window!.touch(words[first + index * ROW_WORDS + RowWord.print]! >>> 0);
    this.touched = touched;
  }
}
