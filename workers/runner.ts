/** Runs a slab through all stages, synchronously: split, encode, transform, route, identify, dedupe, batch. Reads and writes the slab only. */
import { Batcher } from './batches.ts';
import { EventTaker } from './events.ts';
import { FastPath } from './fast-path.ts';
import { Kernel } from './kernel-host.ts';
import { compileNow, preparePipeline } from './pipeline.ts';
import type { Pipeline } from './pipeline.ts';
import { Run } from './run.ts';
import type { RunDone } from './run.ts';
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
  readonly #fast: FastPath | null;
  readonly #frame: FrameReader = new FrameReader();
  readonly #pipelines: Map<number, Pipeline> = new Map(); // By version; versions are never used twice.

  constructor(ring: Ring, slot: number, window: DedupeWindow | null, module: Uint8Array | null) {
    const kernel = Kernel.load(ring, slot, module);
    this.#ring = ring;
    this.#run = new Run(ring, slot);
    this.#subjects = new SubjectTable(this.#run, Math.max(ring.layout.slab.recordsMax, ring.layout.jumbo.recordsMax));
    this.#taker = new EventTaker(this.#run, this.#subjects, window);
    this.#batcher = new Batcher(this.#run, this.#subjects, kernel);
    this.#fast = kernel === null ? null : new FastPath(kernel, this.#run, this.#taker, { subjects: this.#subjects, window });
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

  /** The slab is `working`, and `ready` afterwards. */
  run(slab: number): void {
    const ring = this.#ring;
    const run = this.#run;
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

  /** A stretch of a source: records are found here, by format; the kernel takes the plain ones where it can. */
  #runBytes(pipeline: Pipeline): void {
    const run = this.#run;
    const taker = this.#taker;
    const { splitter } = pipeline;
    const limit = this.#ring.get(run.slab, SlabWord.recordsLimit);
    const first = this.#ring.get(run.slab, SlabWord.recordFrom);
    const recordsEnd = limit === 0 ? Number.MAX_SAFE_INTEGER : first + limit;
    const fast =
      limit === 0 && this.#fast !== null && this.#fast.aim(pipeline, this.#ring.get(run.slab, SlabWord.pipelineVersion))
        ? this.#fast
        : null;
    let at = run.inStart + this.#ring.get(run.slab, SlabWord.inFrom);
    let stopped = false;
    let lines = 0; // Before `at`: blank ones in front of a record that the run stops at are counted by the next run.
    taker.record = first;
    splitter.lines = 0;
    for (;;) {
      if (fast !== null) {
        fast.run(at, splitter);
        at = fast.next;
      }
      lines = splitter.lines;
      const next = splitter.next(run.bytes, at, run.inEnd);
      if (next < 0) {
        at = run.inEnd;
        break;
      }
      taker.start = splitter.recordStart;
      taker.end = splitter.recordEnd;
      taker.next = next;
      taker.line = splitter.recordLine;
      stopped = taker.record >= recordsEnd || !this.#takeBytes(first);
      if (stopped) break;
      taker.record += 1;
      at = next;
    }
    this.#close(pipeline, { inDone: at, records: taker.record, lines: stopped ? lines : splitter.lines, stopped });
  }

  /** A record that does not fit although the run has nothing else would never fit. */
  #takeBytes(first: number): boolean {
    if (this.#taker.takeBytes()) return true;
    if (this.#taker.record > first) return false;
    this.#taker.refuseUnfit();
    return true;
  }

  /** Events written one by one by main. */
  #runFrames(): void {
    const run = this.#run;
    const taker = this.#taker;
    const limit = this.#ring.get(run.slab, SlabWord.recordsLimit);
    const first = this.#ring.get(run.slab, SlabWord.recordFrom);
    const recordsEnd = limit === 0 ? Number.MAX_SAFE_INTEGER : first + limit;
    let at = run.inStart + this.#ring.get(run.slab, SlabWord.inFrom);
    let stopped = false;
    taker.record = first;
    taker.line = 0;
    while (at < run.inEnd) {
      this.#aimAtFrame(at);
      stopped = taker.record >= recordsEnd;
      if (!stopped && !taker.takeFrame(this.#frame)) {
        stopped = taker.record > first;
        if (!stopped) taker.refuseUnfit();
      }
      if (stopped) break;
      taker.record += 1;
      at = taker.next;
    }
    this.#close(taker.pipeline, { inDone: at, records: taker.record, lines: 0, stopped });
  }

  #aimAtFrame(at: number): void {
    const taker = this.#taker;
    taker.start = at;
    taker.end = taker.next = this.#frame.read(this.#run.bytes, at);
  }

  /** Copies whose owner failed: exactly these records again, and of a record that was split exactly these events. */
  #retake(pipeline: Pipeline): void {
    const run = this.#run;
    const taker = this.#taker;
    const { splitter } = pipeline;
    const rows = this.#ring.get(run.slab, SlabWord.tentatives);
    const table = run.words.slice(run.tentativeRow, run.tentativeRow + rows * TENTATIVE_WORDS); // The run overwrites it.
    taker.line = 0;
    let at = 0;
    for (let fits = true; at < table.length; at += TENTATIVE_WORDS) {
      taker.record = table[at]!;
      taker.only = table[at + 3]!;
      if (run.recordRow !== 0) {
        this.#aimAtFrame(table[at + 1]! >>> 0);
        fits = taker.takeFrame(this.#frame);
      } else {
        taker.next = table[at + 2]! >>> 0;
        splitter.next(run.bytes, table[at + 1]! >>> 0, taker.next);
        taker.start = splitter.recordStart;
        taker.end = splitter.recordEnd;
        fits = taker.takeBytes();
      }
      if (fits) continue;
      if (at > 0) break; // Main keeps this row and those after it for the retake after this one.
      taker.refuseUnfit();
    }
    taker.only = -1;
    this.#ring.set(run.slab, SlabWord.retaken, at / TENTATIVE_WORDS);
    const get = (word: number): number => this.#ring.get(run.slab, word);
    this.#close(pipeline, { inDone: run.inStart + get(SlabWord.inDone), records: get(SlabWord.recordsDone), lines: 0, stopped: false });
  }

  #close(pipeline: Pipeline, done: RunDone): void {
    const outBytes = this.#batcher.write(pipeline);
    this.#run.close(done, outBytes);
  }
}

/** Form of a slab, for whoever reads results. */
export const isFrames = (ring: Ring, slab: number): boolean => ring.get(slab, SlabWord.form) === SlabForm.frames;
