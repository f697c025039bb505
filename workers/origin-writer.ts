/** Writes the line that says how a reader finds the ids of a batch's events: a pointer, `hash`, or the range of the source that it covers. */
import { putAscii, putBytes, putNumber } from './header-writer.ts';
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import { EventWord } from '../src/memory/event-table.ts';

/** First and last event row of a batch, and the last of its subject's batch before, -1 = none. */
export interface BatchRows {
  readonly before: number;
  readonly first: number;
  readonly last: number;
}

export class OriginWriter {
  readonly #run: Run;
  #pipeline: Pipeline | null = null;
  /** The whole line, or what comes before a range; empty where there is none. Made once for a pipeline, not for each batch. */
  #line: Uint8Array = new Uint8Array(0);
  #isRange = false;
  #offset = 0; // Of the in area's first byte in the source.

  constructor(run: Run) {
    this.#run = run;
  }

  open(pipeline: Pipeline): void {
    this.#offset = this.#run.offset;
    if (pipeline === this.#pipeline) return;
    this.#pipeline = pipeline;
    const { id, source } = pipeline.description;
    this.#isRange = id === 'offset' && source !== '';
    const isRule = id === 'hash' || id.startsWith('/');
    this.#line = Buffer.from(isRule ? `Millrace-Id: ${id}\r\n` : this.#isRange ? `Millrace-Source: ${source} ` : '');
  }

  /** Returns the offset after it. */
  put(at: number, rows: BatchRows): number {
    const run = this.#run;
    if (this.#line.length === 0) return at;
    if (!this.#isRange) return putBytes(run, at, this.#line);
    const [from, to] = this.#range(rows);
    if (from >= to) return at; // Parts of one record: after a crash it is published whole again, rather than in part never.
    const next = putNumber(run, putBytes(run, at, this.#line), from);
    return putAscii(run, putNumber(run, putAscii(run, next, '-'), to), '\r\n');
  }

  /** Bytes of the source whose records of this subject are in the batch with all their events. */
  #range({ before, first, last }: BatchRows): readonly [number, number] {
    const { words, inStart } = this.#run;
    const after = words[last + EventWord.next]!;
    const sharesFirst = before >= 0 && words[before + EventWord.record] === words[first + EventWord.record];
    const sharesLast = after >= 0 && words[after + EventWord.record] === words[last + EventWord.record];
    const from = words[first + (sharesFirst ? EventWord.recordEnd : EventWord.recordStart)]!;
    const to = words[last + (sharesLast ? EventWord.recordStart : EventWord.recordEnd)]!;
    return [this.#offset + from - inStart, this.#offset + to - inStart];
  }
}
