/** JSON strings become msgpack strings: escapes resolved, UTF-8 checked byte by byte, the header as short as the length allows. */
import { fail, full, INVALID_JSON, TRUNCATED, theCursor } from './json-cursor.ts';
import type { JsonCursor } from './json-cursor.ts';
import { copyMultibyte, writeEscape } from './json-escape.ts';

/** A constant of this module is a constant to the compiler; an imported one is loaded each time. */
const cursor: JsonCursor = theCursor;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIXSTR_MAX = 31;
/** From this length on a view for `set` costs less than a loop saves. */
const COPY_BY_SET_MIN = 4_096;

const PROTO: Uint8Array = new TextEncoder().encode('__proto__');

/** 1 for the bytes that stand for themselves: ASCII without control characters, quote and backslash. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/**
 * The top bit of each of four bytes that is not plain. Zero is exact, and so is the lowest bit set; above it a borrow may set more.
 */
function specials(word: number): number {
  return (word | (word - 0x2020_2020) | ((word ^ 0x2222_2222) - 0x0101_0101) | ((word ^ 0x5c5c_5c5c) - 0x0101_0101)) & 0x8080_8080;
}

/**
 * `from` is the offset after the opening quote. Scans and copies at once while the string may still be a fixstr, whose
 * header is one byte; a longer one is scanned to its end before anything is copied. The last four bytes are copied whole, what
 * lies behind the quote too, as it will be written over: no loop over single bytes, whose end no branch predictor knows.
 */
export function writeString(from: number): number {
  const { input, inputView, outputView, out } = cursor;
  let stop = from + FIXSTR_MAX + 1;
  if (stop > cursor.end) stop = cursor.end;
  if (stop - from >= cursor.outEnd - out) stop = from + cursor.outEnd - out - 1; // the header takes one byte
  const shift = out + 1 - from;
  let at = from;
  for (stop -= 4; at <= stop; at += 4) {
    const word = inputView.getInt32(at, true);
    outputView.setInt32(at + shift, word, true);
    const found = specials(word);
    if (found !== 0) {
      at += (31 - Math.clz32(found & -found)) >> 3;
      if (input[at] !== QUOTE) break;
      cursor.output[out] = 0xa0 | (at - from);
      cursor.out = at + shift;
      return at + 1;
    }
  }
  return writeLongString(from, at);
}

/** The bytes [from, plainEnd) are plain. */
function writeLongString(from: number, plainEnd: number): number {
  const { input, output, inputView, end, out } = cursor;
  let at = plainEnd;
  while (at + 4 <= end && specials(inputView.getInt32(at, true)) === 0) at += 4;
  while (at < end && PLAIN[input[at]!] === 1) at += 1;
  if (at >= end) return fail(end, TRUNCATED);
  const length = at - from;
  const to = out + headerBytes(length);
  if (to + length > cursor.outEnd) return full();
  copyPlain(from, at, to);
  cursor.out = to + length;
  if (input[at] !== QUOTE) return writeMixedString(at, out, to);
  writeHeader(output, out, length);
  return at + 1;
}

function copyPlain(from: number, end: number, out: number): void {
  const { input, output, inputView, outputView } = cursor;
  if (end - from >= COPY_BY_SET_MIN) {
    output.set(input.subarray(from, end), out);
    return;
  }
  let to = out;
  let at = from;
  for (; at + 4 <= end; at += 4) {
    outputView.setInt32(to, inputView.getInt32(at, true), true);
    to += 4;
  }
  for (; at < end; at += 1) output[to++] = input[at]!;
}

/** A string with escapes or bytes beyond ASCII: its header belongs at `out`, and its plain beginning lies in [body, cursor.out). */
function writeMixedString(from: number, out: number, body: number): number {
  const { input, output, end, outEnd } = cursor;
  let at = from;
  let to = cursor.out;
  for (;;) {
    if (at >= end) return fail(end, TRUNCATED);
    const byte = input[at]!;
    if (PLAIN[byte] === 1) {
      if (to >= outEnd) return full();
      output[to] = byte;
      to += 1;
      at += 1;
    } else if (byte === QUOTE) {
      return finishMixed(out, body, to) ? at + 1 : -1;
    } else {
      if (byte < 0x20) return fail(at, INVALID_JSON);
      at = byte === BACKSLASH ? writeEscape(at, to) : copyMultibyte(at, to);
      if (at < 0) return -1;
      to = cursor.out;
    }
  }
}

/** Room was left for the header of the plain beginning only: a longer one moves the body, once per string. */
function finishMixed(out: number, body: number, bodyEnd: number): boolean {
  const length = bodyEnd - body;
  const grow = out + headerBytes(length) - body;
  if (bodyEnd + grow > cursor.outEnd) return full() >= 0;
  if (grow > 0) cursor.output.copyWithin(body + grow, body, bodyEnd);
  writeHeader(cursor.output, out, length);
  cursor.out = bodyEnd + grow;
  return true;
}

/** Whether the 9 bytes from `at` on are `__proto__`, which some readers would obey. */
export function isProto(output: Uint8Array, at: number): boolean {
  if (output[at] !== PROTO[0]) return false;
  for (let index = 1; index < PROTO.length; index += 1) {
    if (output[at + index] !== PROTO[index]) return false;
  }
  return true;
}

/** The msgpack bytes of a string that is no part of a record. */
export function encodeString(text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  const header = headerBytes(body.length);
  const output = new Uint8Array(header + body.length);
  writeHeader(output, 0, body.length);
  output.set(body, header);
  return output;
}

function headerBytes(length: number): number {
  if (length <= FIXSTR_MAX) return 1;
  if (length < 0x100) return 2;
  return length < 0x1_0000 ? 3 : 5;
}

function writeHeader(output: Uint8Array, out: number, length: number): void {
  if (length <= FIXSTR_MAX) {
    output[out] = 0xa0 | length;
  } else if (length < 0x100) {
    output[out] = 0xd9;
    output[out + 1] = length;
  } else if (length < 0x1_0000) {
    output[out] = 0xda;
    output[out + 1] = length >>> 8;
    output[out + 2] = length;
  } else {
    output[out] = 0xdb;
    output[out + 1] = length >>> 24;
    output[out + 2] = length >>> 16;
    output[out + 3] = length >>> 8;
    output[out + 4] = length;
  }
}
