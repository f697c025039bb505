/** The parts of a JSON string that are not plain ASCII: escapes become UTF-8, and UTF-8 passes only when it is well formed. */
import { fail, full, INVALID_JSON, INVALID_UTF8, LONE_SURROGATE, TRUNCATED, unexpected, theCursor } from './json-cursor.ts';
import type { JsonCursor } from './json-cursor.ts';

/** A constant of this module is a constant to the compiler; an imported one is loaded each time. */
const cursor: JsonCursor = theCursor;

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** The byte that a one-letter escape stands for, 0 for letters that are none. */
const ESCAPED = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  ESCAPED[letter.charCodeAt(0)] = byte;
}

/** The value of a hex digit, 255 for all other bytes. */
const HEX = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit += 1) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** `at` is the offset of the backslash. */
export function writeEscape(at: number, out: number): number {
  const { input, end } = cursor;
  if (at + 1 >= end) return fail(end, TRUNCATED);
  const letter = input[at + 1]!;
  if (letter === LETTER_U) return writeUnicode(at, out);
  const byte = ESCAPED[letter]!;
  if (byte === 0) return fail(at + 1, INVALID_JSON);
  if (out >= cursor.outEnd) return full();
  cursor.output[out] = byte;
  cursor.out = out + 1;
  return at + 2;
}

function writeUnicode(at: number, out: number): number {
  const { input } = cursor;
  let code = hex4(at + 2);
  if (code < 0) return -1;
  let next = at + 6;
  if (code >= 0xd800 && code <= 0xdfff) {
    if (code >= 0xdc00) return fail(at, LONE_SURROGATE);
    if (next >= cursor.end) return fail(next, TRUNCATED);
    if (input[next] !== BACKSLASH) return fail(at, LONE_SURROGATE);
    if (next + 1 >= cursor.end) return fail(next + 1, TRUNCATED);
    if (input[next + 1] !== LETTER_U) return fail(at, LONE_SURROGATE);
    const low = hex4(next + 2);
    if (low < 0) return -1;
    if (low < 0xdc00 || low > 0xdfff) return fail(at, LONE_SURROGATE);
    code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    next += 6;
  }
  return writeCodePoint(code, out) ? next : -1;
}

/** Four hex digits; -1 when they are none. */
function hex4(from: number): number {
  const { input, end } = cursor;
  let code = 0;
  for (let at = from; at < from + 4; at += 1) {
    const digit = at < end ? HEX[input[at]!]! : 255;
    if (digit === 255) return unexpected(at);
    code = (code << 4) | digit;
  }
  return code;
}

function writeCodePoint(code: number, out: number): boolean {
  const { output } = cursor;
  const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  if (out + bytes > cursor.outEnd) return full() >= 0;
  cursor.out = out + bytes;
  if (bytes === 1) {
    output[out] = code;
    return true;
  }
  let rest = code;
  for (let to = out + bytes - 1; to > out; to -= 1) {
    output[to] = 0x80 | (rest & 0x3f);
    rest >>>= 6;
  }
  output[out] = (0xf00 >>> bytes) | rest; // the low byte holds as many leading ones as there are bytes
  return true;
}

/** Copies the run of sequences beyond ASCII that begins at `from`; stops at the first ASCII byte or the end. */
export function copyMultibyte(from: number, out: number): number {
  const { input, output, end, outEnd } = cursor;
  let at = from;
  let to = out;
  while (at < end && input[at]! >= 0x80) {
    const lead = input[at]!;
    const second = at + 1 < end ? input[at + 1]! : 0;
    const bytes = sequenceBytes(lead, second);
    if (bytes === 0 || at + bytes > end) return fail(at, INVALID_UTF8);
    if (to + bytes > outEnd) return full();
    output[to] = lead;
    output[to + 1] = second;
    for (let index = 2; index < bytes; index += 1) {
      const byte = input[at + index]!;
      if ((byte & 0xc0) !== 0x80) return fail(at, INVALID_UTF8);
      output[to + index] = byte;
    }
    at += bytes;
    to += bytes;
  }
  cursor.out = to;
  return at;
}

/** Length of a sequence by its first two bytes, 0 when they begin none: RFC 3629 bounds the second byte by the first. */
function sequenceBytes(lead: number, second: number): number {
  if ((second & 0xc0) !== 0x80 || lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) {
    if (lead === 0xe0 && second < 0xa0) return 0; // overlong
    if (lead === 0xed && second > 0x9f) return 0; // surrogates
    return 3;
  }
  if (lead > 0xf4) return 0;
  if (lead === 0xf0 && second < 0x90) return 0; // overlong
  if (lead === 0xf4 && second > 0x8f) return 0; // beyond U+10FFFF
  return 4;
}
