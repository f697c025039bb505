/** Splits a run into its records: every byte belongs to exactly one record or is a separator, whatever the bytes are. */
import type { Format } from '../api/options.ts';
import { CsvScan } from './csv-scan.ts';
import { valueBorder } from './msgpack-scan.ts';
import { ValueBorder, isJsonWhite } from './value-border.ts';

const LF = 0x0a;
const CR = 0x0d;

export interface Splitter {
  /** Content of the last record, without line end. */
  recordStart: number;
  recordEnd: number;
  /** Line ends passed up to the offset that `next` returned; set it to 0 where counting begins. */
  lines: number;
  /** Line ends before the last record. */
  recordLine: number;
  /** Set for the first run of a source: a byte order mark is skipped. Cleared by `next`. */
  atStart: boolean;
  /**
   * The next record of [from, to): returns the offset where to go on, or -1 when only separators are left. It needs no state of
   * the call before: a later run may begin at any offset returned. A value cut off by the end of the range is handed out as it is.
   */
  next(bytes: Uint8Array, from: number, to: number): number;
}

export function createSplitter(format: Format, { atStart = false }: { readonly atStart?: boolean } = {}): Splitter {
  const splitter = makeSplitter(format);
  splitter.atStart = atStart;
  return splitter;
}

function makeSplitter(format: Format): Splitter {
  if (format === 'csv') return new CsvSplitter();
  if (format === 'json') return new JsonSplitter();
  if (format === 'msgpack') return new MsgpackSplitter();
  return new LineSplitter(format === 'ndjson');
}

abstract class RecordSplitter implements Splitter {
  recordStart = 0;
  recordEnd = 0;
  lines = 0;
  recordLine = 0;
  atStart = false;

  abstract next(bytes: Uint8Array, from: number, to: number): number;

  /** Offset after a byte order mark at `from`, the first time. */
  protected begin(bytes: Uint8Array, from: number, to: number): number {
    this.atStart = false;
    return to - from >= 3 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf ? from + 3 : from;
  }

  /** Sets the record to the line [start, lineEnd), without the CR of CRLF. */
  protected line(bytes: Uint8Array, start: number, lineEnd: number): void {
    this.recordStart = start;
    this.recordEnd = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
  }
}

class LineSplitter extends RecordSplitter {
  readonly #skipsWhite: boolean;
  /** View that ends where the run ends, so that the native search does too; made once per run. */
  #view: Buffer = Buffer.alloc(0);

  constructor(skipsWhite: boolean) {
    super();
    this.#skipsWhite = skipsWhite;
  }

  next(bytes: Uint8Array, from: number, to: number): number {
    const view = this.#view;
    if (view.length !== to || view.buffer !== bytes.buffer || view.byteOffset !== bytes.byteOffset) {
      this.#view = Buffer.from(bytes.buffer, bytes.byteOffset, to);
    }
    let at = this.atStart ? this.begin(bytes, from, to) : from;
    while (at < to) {
      const found = this.#view.indexOf(LF, at);
      const lineEnd = found < 0 ? to : found;
      this.line(bytes, at, lineEnd);
      this.recordLine = this.lines;
      at = lineEnd;
      if (found >= 0) {
        this.lines++;
        at++;
      }
      if (!this.#blank(bytes)) return at;
    }
    return -1;
  }

  #blank(bytes: Uint8Array): boolean {
    if (this.recordStart === this.recordEnd) return true;
    if (!this.#skipsWhite) return false;
    for (let at = this.recordStart; at < this.recordEnd; at++) if (!isJsonWhite(bytes[at]!)) return false;
    return true;
  }
}

class CsvSplitter extends RecordSplitter {
  readonly #scan = new CsvScan();

  next(bytes: Uint8Array, from: number, to: number): number {
    let at = this.atStart ? this.begin(bytes, from, to) : from;
    while (at < to) {
      this.#scan.reset();
      const found = this.#scan.rowBreak(bytes, at, to);
      const lineEnd = found < 0 ? to : found;
      this.line(bytes, at, lineEnd);
      this.recordLine = this.lines;
      this.lines += breaks(bytes, at, lineEnd);
      at = lineEnd;
      if (found >= 0) {
        this.lines++;
        at++;
      }
      if (this.recordStart < this.recordEnd) return at;
    }
    return -1;
  }
}

function breaks(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (bytes[at] === LF) count++;
  return count;
}

class JsonSplitter extends RecordSplitter {
  readonly #border = new ValueBorder();

  next(bytes: Uint8Array, from: number, to: number): number {
    const border = this.#border;
    border.reset();
    border.lines = this.lines;
    const next = border.scan(bytes, this.atStart ? this.begin(bytes, from, to) : from, to);
    this.lines = border.lines;
    if (next < 0 && !border.begun && !border.inList) return -1;
    const emptySlot = next < 0 && !border.begun;
    this.recordStart = emptySlot ? border.opener : border.start;
    this.recordLine = border.startLine;
    this.recordEnd = next < 0 ? to : border.stop;
    if (emptySlot) {
      this.recordLine = this.lines;
      this.recordEnd = border.opener + 1;
    }
    while (this.recordEnd > this.recordStart + 1 && isJsonWhite(bytes[this.recordEnd - 1]!)) this.recordEnd--;
    return next < 0 ? to : next;
  }
}

class MsgpackSplitter extends RecordSplitter {
  /** After a value without an end the border of the next is unknown: the rest of the run is one record. */
  next(bytes: Uint8Array, from: number, to: number): number {
    this.atStart = false;
    if (from >= to) return -1;
    const next = valueBorder(bytes, from, to);
    this.recordStart = from;
    this.recordEnd = next < 0 ? to : next;
    this.recordLine = this.lines;
    return this.recordEnd;
  }
}
