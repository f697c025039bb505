/** Plain NDJSON records through the kernel, some hundred at a time: it encodes and hashes them in one call, here they are claimed and appended. */
import type { EventTaker } from './events.ts';
import type { Kernel } from './kernel-host.ts';
import { KernelId, KernelStop, PICKS_MAX, ROW_WORDS, RowWord } from './kernel-layout.ts';
import type { Picks, Pipeline } from './pipeline.ts';
import { PlainTaker } from './plain-taker.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import type { Splitter } from '../src/codec/splitter.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

/** Calls in vain, one after the other, that are free; and those after which the pauses no longer grow (64 records). */
const MISSES_FREE = 4;
const MISSES_MAX: number = MISSES_FREE + 6;

export class FastPath implements Picks {
  readonly pickStart: Int32Array = new Int32Array(PICKS_MAX);
  readonly pickEnd: Int32Array = new Int32Array(PICKS_MAX);
  /** Where the record begins that was not taken, or the end of the run. */
  next = 0;
  readonly #kernel: Kernel;
  readonly #run: Run;
  readonly #taker: EventTaker;
  readonly #window: DedupeWindow | null;
  readonly #plain: PlainTaker;
  #isPlain = false;
  #picks = 0;
  #misses = 0;
  #pause = 0;

  constructor(
    kernel: Kernel,
    run: Run,
    taker: EventTaker,
    parts: { readonly subjects: SubjectTable; readonly window: DedupeWindow | null },
  ) {
    this.#kernel = kernel;
    this.#run = run;
    this.#taker = taker;
    this.#window = parts.window;
    this.#plain = new PlainTaker(kernel, run, taker, parts);
  }

  /** True when the pipeline is one for the kernel: NDJSON, no user code, simple paths. */
  aim(pipeline: Pipeline, version: number): boolean {
    const { description, user, paths, idPick } = pipeline;
    if (description.format !== 'ndjson' || user !== null) return false;
    this.#picks = paths.length;
    const key = description.windowed && this.#window !== null ? this.#window.key : null;
    const id = description.id === 'hash' ? KernelId.hash : idPick === 0 ? KernelId.field : KernelId.none;
    this.#isPlain = this.#plain.open(pipeline);
    return this.#kernel.aim(version, paths, { id, key });
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
    let others = 0;
    for (let index = this.#takePlain(0, rows); index < rows; index = this.#takePlain(index + 1, rows)) {
      const row = this.#kernel.rowsStart / 4 + index * ROW_WORDS;
      taker.start = words[row + RowWord.start]! >>> 0;
      taker.end = taker.next = words[row + RowWord.next]! >>> 0;
      taker.line = words[row + RowWord.line]!;
      for (let pick = 0; pick < this.#picks; pick += 1) {
        this.pickStart[pick] = words[row + RowWord.picks + 2 * pick]!;
        this.pickEnd[pick] = words[row + RowWord.picks + 2 * pick + 1]!;
      }
      const { events } = run;
      if (!taker.takeRow(row, this)) {
        this.next = taker.start;
        run.scratchAt = words[row + RowWord.outStart]! >>> 0;
        return false;
      }
      if (this.#isPlain && run.events > events) this.#plain.remember(index);
      taker.record += 1;
      others += 1;
    }
    if (others * 2 > rows) this.#isPlain = false; // Nearly as many subjects as events, or copies of what is pending: asking costs more than it saves.
    return true;
  }

  #takePlain(from: number, rows: number): number {
    return this.#isPlain ? this.#plain.take(from, rows) : from;
  }
}
