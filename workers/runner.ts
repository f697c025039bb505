/** Runs a slab through all stages, synchronously: split, encode, transform, route, identify, dedupe, batch. Reads and writes the slab only. */
import { Batcher } from './batches.ts';
import { EventTaker } from './events.ts';
import { compileNow, preparePipeline } from './pipeline.ts';
import type { Pipeline } from './pipeline.ts';
import { Run } from './run.ts';
import { SubjectTable } from './subjects.ts';
import { FrameReader } from '../src/memory/frames.ts';
import { SlabForm, SlabWord, TENTATIVE_WORDS } from '../src/memory/layout.ts';
import { readPipeline } from '../src/memory/pipeline.ts';
import type { Ring } from '../src/memory/ring.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

export class SlabRunner {
  readonly #ring: Ring;
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  readonly #taker: EventTaker;
  readonly #batcher: Batcher;
  readonly #frame: FrameReader = new FrameReader();
  readonly #pipelines: Map<number, Pipeline> = new Map(); // By version; versions are never used twice.

  constructor(ring: Ring, slot: number, window: DedupeWindow | null) {
    this.#ring = ring;
    this.#run = new Run(ring, slot);
    this.#subjects = new SubjectTable(this.#run, Math.max(ring.layout.slab.recordsMax, ring.layout.jumbo.recordsMax));
    this.#taker = new EventTaker(this.#run, this.#subjects, window);
    this.#batcher = new Batcher(this.#run, this.#subjects);
  }

  /** Needed before `run` when the pipeline has user code: null = ready. */
  prepare(slab: number): Promise<void> | null {
    const version = this.#ring.get(slab, SlabWord.pipelineVersion);
    if (this.#pipelines.has(version)) return null;
    const description = readPipeline(this.#ring, this.#ring.get(slab, SlabWord.pipeline));
    const compiled = compileNow(description);
    if (compiled === null) return preparePipeline(description).then((pipeline) => this.#remember(version, pipeline));
    this.#remember(version, compiled);
    return null;
  }

  run(slab: number): void {
    const ring = this.#ring;
    const run = this.#run;
    ring.begin(slab);
    run.open(slab);
    const pipeline = this.#pipelines.get(ring.get(slab, SlabWord.pipelineVersion))!;
    this.#subjects.reset();
    this.#taker.open(pipeline);
    if (ring.get(slab, SlabWord.retake) === 1) this.#retake(pipeline);
    else if (run.recordRow !== 0) this.#runFrames();
    else this.#runBytes(pipeline);
    ring.complete(slab);
  }

  #remember(version: number, pipeline: Pipeline): void {
    if (this.#pipelines.size > 256) this.#pipelines.delete(this.#pipelines.keys().next().value!);
    this.#pipelines.set(version, pipeline);
  }

  /** A stretch of a source: records are found here, by format. */
  #runBytes(pipeline: Pipeline): void {
    const run = this.#run;
    const { splitter } = pipeline;
    const limit = this.#ring.get(run.slab, SlabWord.recordsLimit);
    let record = this.#ring.get(run.slab, SlabWord.recordFrom);
    const recordsEnd = limit === 0 ? Number.MAX_SAFE_INTEGER : record + limit;
    let at = run.inStart + this.#ring.get(run.slab, SlabWord.inFrom);
    let stopped = false;
    let lines = 0;
    splitter.lines = 0;
    for (;;) {
      const next = splitter.next(run.bytes, at, run.inEnd);
      if (next < 0) {
        at = run.inEnd;
        break;
      }
      stopped = record >= recordsEnd || !this.#taker.takeBytes({ record, start: splitter.recordStart, end: splitter.recordEnd, next, line: splitter.recordLine });
      if (stopped) break;
      record += 1;
      lines = splitter.lines;
      at = next;
    }
    this.#close(pipeline, { inDone: at, records: record, lines: stopped ? lines : splitter.lines, stopped });
  }

  /** Events written one by one by main. */
  #runFrames(): void {
    const run = this.#run;
    const limit = this.#ring.get(run.slab, SlabWord.recordsLimit);
    let record = this.#ring.get(run.slab, SlabWord.recordFrom);
    const recordsEnd = limit === 0 ? Number.MAX_SAFE_INTEGER : record + limit;
    let at = run.inStart + this.#ring.get(run.slab, SlabWord.inFrom);
    let stopped = false;
    while (at < run.inEnd) {
      const next = this.#frame.read(run.bytes, at);
      stopped = record >= recordsEnd || !this.#taker.takeFrame({ record, start: at, end: next, next, line: 0 }, this.#frame);
      if (stopped) break;
      record += 1;
      at = next;
    }
    this.#close(this.#taker.pipeline, { inDone: at, records: record, lines: 0, stopped });
  }

  /** Copies whose owner failed: exactly these records again, and of a record that was split exactly these events. */
  #retake(pipeline: Pipeline): void {
    const run = this.#run;
    const rows = this.#ring.get(run.slab, SlabWord.tentatives);
    const table = run.words.slice(run.tentativeRow, run.tentativeRow + rows * TENTATIVE_WORDS); // The run overwrites it.
    for (let row = 0; row < rows; row += 1) {
      const [record, start, next, ordinal] = table.subarray(row * TENTATIVE_WORDS) as unknown as [number, number, number, number];
      this.#taker.only = ordinal;
      if (run.recordRow !== 0) {
        this.#frame.read(run.bytes, start >>> 0);
        this.#taker.takeFrame({ record, start: start >>> 0, end: next >>> 0, next: next >>> 0, line: 0 }, this.#frame);
      } else this.#retakeBytes(pipeline, { record, start: start >>> 0, next: next >>> 0 });
    }
    this.#taker.only = -1;
    const { slab } = run;
    const get = (word: number): number => this.#ring.get(slab, word);
    this.#close(pipeline, { inDone: run.inStart + get(SlabWord.inDone), records: get(SlabWord.recordsDone), lines: 0, stopped: get(SlabWord.stopped) === 1 });
  }

  #retakeBytes({ splitter }: Pipeline, { record, start, next }: { record: number; start: number; next: number }): void {
    splitter.next(this.#run.bytes, start, next);
    this.#taker.takeBytes({ record, start: splitter.recordStart, end: splitter.recordEnd, next, line: 0 });
  }

  #close(pipeline: Pipeline, done: { inDone: number; records: number; lines: number; stopped: boolean }): void {
    const outBytes = this.#batcher.write(pipeline);
    this.#run.close({ ...done, outBytes });
  }
}

/** Form of a slab, for whoever reads results. */
export const isFrames = (ring: Ring, slab: number): boolean => ring.get(slab, SlabWord.form) === SlabForm.frames;
