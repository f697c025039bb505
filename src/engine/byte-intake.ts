/** One source of an ingest: its pipeline, its lines, and what is outside the ordinary: header row, limit, records too long or dropped. */
import type { SourceProgress } from './checkpoint-progress.ts';
import type { IngestJob } from './ingest-job.ts';
import type { Outbound } from './outbound.ts';
import type { Parts } from './parts.ts';
import type { StoredRanges } from './recovery-ranges.ts';
import type { Intake } from './ticket.ts';
import { parseCsvHeader } from '../codec/csv-encoder.ts';
import { createSplitter } from '../codec/splitter.ts';
import { MillraceError } from '../api/errors.ts';
import type { PipelineDescription, PipelineTable } from '../memory/pipeline.ts';

export interface IntakeParts {
  readonly parts: Parts;
  readonly outbound: Outbound;
  readonly pipelines: PipelineTable;
  readonly job: IngestJob;
}

export interface ByteIntakeParts extends IntakeParts {
  readonly ranges: StoredRanges;
  /** Told of each slab; null = there is no checkpoint. */
  readonly progress: SourceProgress | null;
}

export class ByteIntake implements Intake {
  readonly book: IngestJob['book'];
  readonly userCode: boolean;
  readonly strict: boolean;
  readonly deadLetters: string;
  readonly file: string | null;
  pipelineSlot = -1;
  pipelineVersion = 0;
  lines = 0;
  readonly #parts: ByteIntakeParts;
  readonly #description: PipelineDescription;
  #open = 0; // Slabs of this source that are not released.
  #filling = true;

  constructor(parts: ByteIntakeParts, description: PipelineDescription) {
    this.#parts = parts;
    this.#description = description;
    this.book = parts.job.book;
    this.userCode = description.transform !== null || description.schema !== null;
    this.strict = parts.job.strict;
    this.deadLetters = parts.job.deadLetters;
    this.file = description.file;
    this.lines = parts.progress?.start.lines ?? 0;
    if (!this.wantsHeader) this.#openPipeline(description);
  }

  get stopped(): boolean {
    return this.#parts.job.stopped;
  }

  /** A CSV source whose first row has not been seen. */
  get wantsHeader(): boolean {
    return this.#description.format === 'csv' && this.#description.csvHeader === null && this.pipelineSlot < 0;
  }

  /** Nothing more is taken of this source. */
  get full(): boolean {
    return this.#parts.job.ended;
  }

  get drops(): boolean {
    return this.#onFull === 'drop-newest';
  }

  /** A slab, where nothing has to be waited for; else -1. */
  claimNow(tryClaim: () => number): number {
    return this.#held ? -1 : tryClaim();
  }

  /** All that is missing may be a free slab: the next release is worth another try. */
  get waitsForSlab(): boolean {
    return !this.#held && this.#onFull === 'block';
  }

  /** Waits for a slab; -1 = the job has ended meanwhile. */
  async claim(tryClaim: () => number): Promise<number> {
    const { job, outbound, parts } = this.#parts;
    for (;;) {
      await parts.refusals.whenRoom(() => job.ended || outbound.closed);
      if (job.ended || outbound.closed) return -1; // Closed, no slab will ever be free again.
      const slab = tryClaim();
      if (slab >= 0) return slab;
      if (this.#onFull === 'fail') {
        job.fail(new MillraceError('MILLRACE_FULL', 'every slab is in use and onFull is fail', { retryable: true }));
        return -1;
      }
      await outbound.whenReleased();
    }
  }

  async pace(): Promise<void> {
    await this.#parts.job.pace();
  }

  goalBytes(): number {
    return this.#parts.job.goalBytes();
  }

  read(bytes: number): void {
    this.#parts.job.bytesIn += bytes;
  }

  dispatched(sequence: number, end: number): void {
    this.#open += 1;
    this.#parts.progress?.dispatched(sequence, end);
    this.#parts.job.dispatched();
  }

  released(sequence: number, lines: number): void {
    const { progress, outbound } = this.#parts;
    if (outbound.closed) progress?.freeze(); // Given up, and not settled.
    progress?.released(sequence, lines);
    this.#open -= 1;
    this.#parts.job.released();
    this.#closeWhenDone();
  }

  fail(error: MillraceError): void {
    this.#parts.progress?.freeze();
    this.#parts.job.fail(error);
  }

  /** The filler is through; the pipeline's slot is given back with the last slab. */
  filled(): void {
    this.#filling = false;
    this.#parts.progress?.filled();
    this.#closeWhenDone();
  }

  /** Offset after the header row, or -1 while it is not whole. Its line counts, as a place for people; it is no record. */
  takeHeader(bytes: Uint8Array, range: { readonly start: number; readonly end: number; readonly final: boolean }): number {
    const splitter = createSplitter('csv');
    const next = splitter.next(bytes, range.start, range.end);
    if (next < 0 || (next === range.end && !range.final)) return -1;
    this.lines += splitter.lines;
    this.#openPipeline({ ...this.#description, csvHeader: parseCsvHeader(bytes, splitter.recordStart, splitter.recordEnd) });
    return next;
  }

  /** Where to cut so that no more records than `limit` go in; without a limit nothing is counted here. */
  limitCut(bytes: Uint8Array, from: number, whole: number): number {
    const { job } = this.#parts;
    if (job.recordsLeft === Number.POSITIVE_INFINITY) return whole;
    const splitter = createSplitter(this.#description.format);
    let at = from;
    while (job.recordsLeft > 0) {
      const next = splitter.next(bytes, at, whole);
      if (next < 0) return whole;
      at = next;
      job.recordsLeft -= 1;
    }
    return at;
  }

  /** Counts the records of [0, end) as dropped. */
  drop(bytes: Uint8Array, end: number): void {
    const splitter = createSplitter(this.#description.format);
    let records = 0;
    for (let at = splitter.next(bytes, 0, end); at >= 0; at = splitter.next(bytes, at, end)) records += 1;
    this.lines += splitter.lines;
    this.book.add('accepted', records);
    this.book.add('dropped', records);
  }

  /** A record longer than `maxEventBytes`: kept are a prefix, the hash and the place. It is refused when the slabs before it are committed. */
  tooLong({
    prefix,
    offset,
    length,
    sha256,
  }: {
    prefix: Uint8Array;
    offset: number;
    length: number;
    sha256: string;
  }): (line: number) => void {
    const { parts, job } = this.#parts;
    const { book, file } = this;
    return (line) => {
      const place = `${file ?? 'the source'}:${line}, byte ${offset}`;
      const message = `${length} B > ${job.resolved.maxEventBytes} B (maxEventBytes), sha256 ${sha256}, at ${place}`;
      const error = new MillraceError('MILLRACE_RECORD_TOO_LONG', message, {
        context: { file: file ?? 'the source', line, byteOffset: offset },
      });
      book.add('accepted', 1);
      book.add('rejected', 1);
      parts.refusals.refuse(
        {
          reason: 'too_long',
          message,
          error,
          subject: null,
          file,
          line,
          byteOffset: offset,
          byteEnd: offset + length,
          raw: prefix,
          whole: { bytes: length, sha256 },
          encoding: 'input',
          attempts: 1,
        },
        this,
      );
    };
  }

  get #onFull(): NonNullable<IngestJob['options']['onFull']> {
    return this.#parts.job.options.onFull ?? this.#parts.job.resolved.onFull;
  }

  /** Something else than a slab is to be waited for, or nothing any more. */
  get #held(): boolean {
    const { job, outbound, parts } = this.#parts;
    return job.paced || parts.refusals.full || job.ended || outbound.closed;
  }

  #openPipeline(description: PipelineDescription): void {
    const { slot, version } = this.#parts.pipelines.open(description);
    this.pipelineSlot = slot;
    this.pipelineVersion = version;
    this.#parts.ranges.attach(slot, description.id === 'offset' ? description.source : '');
  }

  #closeWhenDone(): void {
    if (this.#filling || this.#open > 0 || this.pipelineSlot < 0) return;
    this.#parts.ranges.detach(this.pipelineSlot);
    this.#parts.pipelines.close(this.pipelineSlot);
    this.pipelineSlot = -1;
  }
}
