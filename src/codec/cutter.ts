/** Cuts a source after its last whole record, so that a slab holds whole records only; the main thread's one look at the bytes. */
import type { Format } from '../api/options.ts';
import { CsvScan } from './csv-scan.ts';
import { MsgpackBorder } from './msgpack-border.ts';
import { valueBorder } from './msgpack-scan.ts';
import { ValueBorder } from './value-border.ts';

const LF = 0x0a;
const NEAR_BYTES = 2_048;

/**
 * The calls of `cut` follow the source: each range begins with the bytes that the cut before left over, at whatever offset they
 * now are. When `cut` finds nothing in a range as long as a record may be, the record is too long: `resync` is then called with
 * that same range first and with the bytes that follow it next, until it says where the next record begins; `cut` goes on there.
 */
export interface Cutter {
  /** Offset after the last whole record in [start, end); `start` when there is none. With `final` all of the range counts. */
  cut(bytes: Uint8Array, start: number, end: number, final: boolean): number;
  /** Where the record after the one that was too long can begin; -1 when that is not in the range. */
  resync(bytes: Uint8Array, start: number, end: number): number;
}

export function createCutter(format: Format): Cutter {
  if (format === 'csv') return new CsvCutter();
  if (format === 'json') return new JsonCutter();
  if (format === 'msgpack') return new MsgpackCutter();
  return new LineCutter();
}

/** A Buffer over the range: its searches run in native code and cannot leave it. One small object per call, not per record. */
function viewOf(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}

function afterFirstBreak(bytes: Uint8Array, start: number, end: number): number {
  const at = viewOf(bytes, start, end).indexOf(LF);
  return at < 0 ? -1 : start + at + 1;
}

/** Mostly it is near: a look by hand makes no object. */
function afterLastBreak(bytes: Uint8Array, start: number, end: number): number {
  const near = Math.max(start, end - NEAR_BYTES);
  for (let at = end - 1; at >= near; at -= 1) if (bytes[at] === LF) return at + 1;
  return start + viewOf(bytes, start, end).lastIndexOf(LF) + 1;
}

class LineCutter implements Cutter {
  cut(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    return final ? end : afterLastBreak(bytes, start, end);
  }

  resync(bytes: Uint8Array, start: number, end: number): number {
    return afterFirstBreak(bytes, start, end);
  }
}

class CsvCutter implements Cutter {
  readonly #scan = new CsvScan();
  /** Bytes of the left-over row that were scanned already: a long row is scanned once, however often it is presented. */
  #scanned = 0;

  cut(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    if (final) {
      this.#restart();
      return end;
    }
    if (this.#scanned > end - start) this.#restart();
    let last = start;
    let at = start + this.#scanned;
    if (!this.#scan.quoted && viewOf(bytes, at, end).indexOf(0x22) < 0) {
      last = Math.max(start, afterLastBreak(bytes, at, end));
      if (last > at) {
        this.#restart();
        at = last;
      } else last = start;
    }
    for (;;) {
      const found = this.#scan.rowBreak(bytes, at, end);
      if (found < 0) break;
      at = found + 1;
      last = at;
    }
    this.#scanned = end - last;
    return last;
  }

  /** After the next line break, quoted or not: what makes a row too long is most often a quote that was never closed. */
  resync(bytes: Uint8Array, start: number, end: number): number {
    this.#restart();
    return afterFirstBreak(bytes, start, end);
  }

  #restart(): void {
    this.#scan.reset();
    this.#scanned = 0;
  }
}

class JsonCutter implements Cutter {
  readonly #border = new ValueBorder();
  #scanned = 0;

  cut(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    if (final || this.#border.discarding || this.#scanned > end - start) this.#restart();
    if (final) return end;
    let last = start;
    for (;;) {
      const next = this.#border.scan(bytes, last + this.#scanned, end);
      if (next < 0) break;
      last = next;
      this.#restart();
    }
    // White space and closing brackets alone are no record that must be kept for later.
    if (!this.#border.begun && !this.#border.inList) {
      this.#restart();
      return end;
    }
    this.#scanned = end - last;
    return last;
  }

  /**
   * Where the value ends by its structure; should it be broken, where `{` follows a line break directly, and strings are taken to
   * end at line breaks, which JSON does not allow in them.
   */
  resync(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#border.discarding) {
      this.#restart();
      this.#border.discarding = true;
    }
    const next = this.#border.scan(bytes, start, end);
    if (next >= 0) this.#restart();
    return next;
  }

  #restart(): void {
    this.#border.reset();
    this.#scanned = 0;
  }
}

class MsgpackCutter implements Cutter {
  readonly #border = new MsgpackBorder();
  #passing = false;

  cut(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    this.#passing = false;
    if (final) return end;
    let last = start;
    for (;;) {
      const next = valueBorder(bytes, last, end);
      if (next < 0) return last;
      last = next;
    }
  }

  /** Where the value ends by its structure. Nothing marks the begin of a value: after byte 0xc1 no border can be known, and the rest is one record. */
  resync(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#passing) this.#border.reset();
    this.#passing = true;
    const next = this.#border.feed(bytes, start, end);
    if (next >= 0) this.#passing = false;
    return next;
  }
}
