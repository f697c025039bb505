/** Encodes a CSV row (RFC 4180) as a msgpack map from column name to text; a row with too few or too many cells is refused. */
import { MillraceError } from '../api/errors.ts';
import { reasonCode } from '../api/reject-reasons.ts';
import { CsvScan } from './csv-scan.ts';
import { stringHeadBytes, writeMapHead, writeStringHead } from './msgpack-write.ts';
import { ENCODE_FULL, ENCODE_REJECT } from './record-encoder.ts';
import type { FieldPath, RecordEncoder } from './record-encoder.ts';
import { utf8Fault } from './utf8.ts';

const INVALID_CSV = reasonCode('invalid_csv');
const INVALID_UTF8 = reasonCode('invalid_utf8');
const TRUNCATED = reasonCode('truncated');
const QUOTE = 0x22;
const COMMA = 0x2c;

export class CsvEncoder implements RecordEncoder {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  reason = 0;
  errorAt = 0;
  /** Column names as msgpack strings. */
  readonly #keys: readonly Uint8Array[];
  /** Per path its column, -1 = none, -2 = the whole event. */
  readonly #columns: readonly number[];
  readonly #cellStart: Int32Array;
  readonly #cellEnd: Int32Array;
  /** Set by `#measure`: where the cell's text begins and ends, and how many quotes in it are doubled. */
  #textStart = 0;
  #textEnd = 0;
  #doubled = 0;

  constructor(header: readonly string[], paths: readonly FieldPath[]) {
    checkHeader(header);
    this.#keys = header.map(packKey);
    this.#columns = paths.map((path) => (path.length === 0 ? -2 : path.length === 1 ? header.indexOf(path[0]!) : -1));
    this.pickStart = new Int32Array(paths.length).fill(-1);
    this.pickEnd = new Int32Array(paths.length).fill(-1);
    this.#cellStart = new Int32Array(header.length);
    this.#cellEnd = new Int32Array(header.length);
  }

  // oxlint-disable-next-line max-params -- as the interface
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number {
    const fault = utf8Fault(input, start, end);
    if (fault >= 0) return this.#refuse(INVALID_UTF8, fault);
    const columns = this.#keys.length;
    if (outStart + 5 > outEnd) return ENCODE_FULL;
    let out = writeMapHead(output, outStart, columns);
    let at = start;
    for (let column = 0; column < columns; column++) {
      if (column > 0) {
        if (at >= end) return this.#refuse(INVALID_CSV, end); // Too few cells: the place is the end of the row.
        at++; // The comma.
      }
      at = this.#measure(input, at, end);
      if (at < 0) return ENCODE_REJECT;
      const key = this.#keys[column]!;
      const bytes = this.#textEnd - this.#textStart - this.#doubled;
      if (out + key.length + stringHeadBytes(bytes) + bytes > outEnd) return ENCODE_FULL;
      for (let i = 0; i < key.length; i++) output[out++] = key[i]!;
      this.#cellStart[column] = out;
      out = this.#copy(input, output, writeStringHead(output, out, bytes));
      this.#cellEnd[column] = out;
    }
    if (at < end) return this.#refuse(INVALID_CSV, at); // Too many cells: the place is the comma before the first of them.
    this.#pick(outStart, out);
    return out;
  }

  /** Offset of the comma or end after the cell at `at`, or -1 when it is refused. */
  #measure(input: Uint8Array, from: number, end: number): number {
    let at = from;
    this.#doubled = 0;
    if (at >= end || input[at] !== QUOTE) {
      while (at < end && input[at] !== COMMA) {
        if (input[at] === QUOTE) return this.#refuse(INVALID_CSV, at);
        at++;
      }
      this.#textStart = from;
      this.#textEnd = at;
      return at;
    }
    this.#textStart = ++at;
    for (; at < end; at++) {
      if (input[at] !== QUOTE) continue;
      if (at + 1 >= end || input[at + 1] !== QUOTE) break;
      this.#doubled++;
      at++;
    }
    if (at >= end) return this.#refuse(TRUNCATED, end);
    this.#textEnd = at++;
    return at >= end || input[at] === COMMA ? at : this.#refuse(INVALID_CSV, at);
  }

  #copy(input: Uint8Array, output: Uint8Array, to: number): number {
    let out = to;
    const skips = this.#doubled > 0;
    for (let at = this.#textStart; at < this.#textEnd; at++) {
      const byte = input[at]!;
      output[out++] = byte;
      if (skips && byte === QUOTE) at++;
    }
    return out;
  }

  #pick(outStart: number, outEnd: number): void {
    for (let path = 0; path < this.#columns.length; path++) {
      const column = this.#columns[path]!;
      if (column === -1) continue;
      this.pickStart[path] = column === -2 ? outStart : this.#cellStart[column]!;
      this.pickEnd[path] = column === -2 ? outEnd : this.#cellEnd[column]!;
    }
  }

  #refuse(reason: number, at: number): -1 {
    this.reason = reason;
    this.errorAt = at;
    return ENCODE_REJECT;
  }
}

/** The names of the header row in [start, end); the row's line end may be in the range. */
export function parseCsvHeader(bytes: Uint8Array, start: number, end: number): string[] {
  const found = new CsvScan().rowBreak(bytes, start, end);
  let rowEnd = found < 0 ? end : found;
  if (rowEnd > start && bytes[rowEnd - 1] === 0x0d) rowEnd--;
  const at = utf8Fault(bytes, start, rowEnd);
  if (at >= 0) throw new MillraceError('MILLRACE_RECORD_INVALID', `CSV header: byte ${at - start} is not UTF-8`);
  const names = splitRow(
    Buffer.from(bytes.subarray(start, rowEnd))
      .toString('utf8')
      .replace(/^\ufeff/, ''),
  );
  checkHeader(names);
  return names;
}

/** A cell is quoted with doubled quotes, or bare without any; then comes a comma or the end. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/suy;

function splitRow(row: string): string[] {
  const names: string[] = [];
  CELL.lastIndex = 0;
  for (;;) {
    const at = CELL.lastIndex;
    const cell = CELL.exec(row);
    if (cell === null) throw new MillraceError('MILLRACE_RECORD_INVALID', `CSV header: misplaced quote after character ${at}`);
    names.push(cell[1]?.replaceAll('""', '"') ?? cell[2] ?? '');
    if (cell[3] === '') return names;
  }
}

function checkHeader(header: readonly string[]): void {
  if (header.length === 0 || (header.length === 1 && header[0] === ''))
    throw new MillraceError('MILLRACE_RECORD_INVALID', 'CSV header: no column names');
  const seen = new Set<string>();
  for (const [column, name] of header.entries()) {
    if (name === '__proto__')
      throw new MillraceError('MILLRACE_RECORD_INVALID', `CSV header: column ${column + 1} is named __proto__, which no event may have`);
    if (seen.has(name)) throw new MillraceError('MILLRACE_RECORD_INVALID', `CSV header: two columns are named ${JSON.stringify(name)}`);
    seen.add(name);
  }
}

function packKey(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const key = new Uint8Array(stringHeadBytes(text.length) + text.length);
  key.set(text, writeStringHead(key, 0, text.length));
  return key;
}
