/** JSON numbers become the shortest msgpack integer, an exact 64-bit integer, or the float64 nearest to the digits. */
import { fail, full, INTEGER_RANGE, INVALID_JSON, NUMBER_RANGE, unexpected, theCursor } from './json-cursor.ts';
import type { JsonCursor } from './json-cursor.ts';

/** A constant of this module is a constant to the compiler; an imported one is loaded each time. */
const cursor: JsonCursor = theCursor;

const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x65; // after `| 0x20`, which folds the case
/** Up to this length putting characters together is faster than a Buffer. */
const TEXT_BY_CHAR_MAX = 64;
const TWO_32 = 4_294_967_296;

/** The powers of ten that a double holds exactly: one rounding in a product or quotient with one of them. */
const POWER_10: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0; // little-endian: the high word comes second

/** `at` is the offset of the minus or the first digit. What follows the number is for the caller to judge. */
export function writeNumber(start: number): number {
  const { input, end } = cursor;
  let at = start;
  let value = 0;
  const negative = input[at] === MINUS;
  if (negative) at += 1;
  const first = at;
  const stop = end - at > 9 ? at + 9 : end; // nine digits fit 32 bits
  while (at < stop) {
    const digit = input[at]! - ZERO;
    if (digit >>> 0 > 9) break;
    value = (Math.imul(value, 10) + digit) | 0;
    at += 1;
  }
  if (at === first) return unexpected(at);
  if (input[first] === ZERO && at > first + 1) return fail(first + 1, INVALID_JSON);
  if (at < end) {
    const byte = input[at]!;
    if (byte === DOT || (byte | 0x20) === LETTER_E) return writeReal(start);
    if ((byte - ZERO) >>> 0 <= 9) return writeLongInteger(start, at, value);
  }
  if (negative && value === 0) return writeFloat(-0) ? at : -1; // JSON.parse keeps the sign
  return writeSmall(negative ? -value : value) ? at : -1;
}

/** A value within int32 or uint32, in its shortest form. */
function writeSmall(value: number): boolean {
  const { output, outEnd, out } = cursor;
  const bytes = value >= 0 ? unsignedBytes(value) : signedBytes(value);
  if (out + bytes > outEnd) return full() >= 0;
  cursor.out = out + bytes;
  if (bytes === 1) {
    output[out] = value;
  } else if (bytes === 2) {
    output[out] = value >= 0 ? 0xcc : 0xd0;
    output[out + 1] = value;
  } else if (bytes === 3) {
    output[out] = value >= 0 ? 0xcd : 0xd1;
    output[out + 1] = value >> 8;
    output[out + 2] = value;
  } else {
    output[out] = value >= 0 ? 0xce : 0xd2;
    putWord(output, out + 1, value | 0);
  }
  return true;
}

function unsignedBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x100) return 2;
  return value < 0x1_0000 ? 3 : 5;
}

function signedBytes(value: number): number {
  if (value >= -0x20) return 1;
  if (value >= -0x80) return 2;
  return value >= -0x8000 ? 3 : 5;
}

function putWord(output: Uint8Array, out: number, word: number): void {
  output[out] = word >>> 24;
  output[out + 1] = word >>> 16;
  output[out + 2] = word >>> 8;
  output[out + 3] = word;
}

function writeFloat(value: number): boolean {
  const { out } = cursor;
  if (out + 9 > cursor.outEnd) return full() >= 0;
  float[0] = value;
  cursor.output[out] = 0xcb;
  putWord(cursor.output, out + 1, words[HIGH]! | 0);
  putWord(cursor.output, out + 5, words[1 - HIGH]! | 0);
  cursor.out = out + 9;
  return true;
}

/** An integer token of ten digits or more, whose first nine, none of them a leading zero, are `head`: exact as far as 64 bits reach. */
function writeLongInteger(start: number, from: number, head: number): number {
  const { input, end, output, out } = cursor;
  const negative = input[start] === MINUS;
  const first = negative ? start + 1 : start;
  const stop = end - from > 6 ? from + 6 : end; // fifteen digits are exact in a double
  let at = from;
  let more = 0;
  while (at < stop) {
    const digit = input[at]! - ZERO;
    if (digit >>> 0 > 9) break;
    more = (Math.imul(more, 10) + digit) | 0;
    at += 1;
  }
  const value = head * POWER_10[at - from]! + more;
  let high = Math.floor(value / TWO_32);
  let low = value >>> 0;
  while (at < end && (input[at]! - ZERO) >>> 0 <= 9) {
    if (at - first < 20) {
      const wide = low * 10 + input[at]! - ZERO;
      low = wide >>> 0;
      high = high * 10 + Math.floor(wide / TWO_32);
    }
    at += 1;
  }
  if (at < end && (input[at] === DOT || (input[at]! | 0x20) === LETTER_E)) return writeReal(start);
  if (at - first > 20 || high >= TWO_32) return fail(start, INTEGER_RANGE);
  if (negative && (high > 0x8000_0000 || (high === 0x8000_0000 && low > 0))) return fail(start, INTEGER_RANGE);
  if (high === 0 && (!negative || low <= 0x8000_0000)) return writeSmall(negative ? -low : low) ? at : -1;
  if (out + 9 > cursor.outEnd) return full();
  output[out] = negative || high < 0x8000_0000 ? 0xd3 : 0xcf; // as msgpackr writes a BigInt: signed where it fits
  putWord(output, out + 1, negative ? (low === 0 ? -high : ~high) | 0 : high | 0);
  putWord(output, out + 5, negative ? -low | 0 : low | 0);
  cursor.out = out + 9;
  return at;
}

/** A number with a fraction or an exponent. Where its digits or its power of ten are not exact in a double, Number() decides. */
function writeReal(start: number): number {
  const { input, end } = cursor;
  const negative = input[start] === MINUS;
  let at = negative ? start + 1 : start;
  let mantissa = 0;
  let fraction = 0; // digits after the point, as a power of ten to take away
  let point = false;
  for (; at < end; at += 1) {
    const digit = input[at]! - ZERO;
    if (digit >>> 0 <= 9) {
      mantissa = mantissa * 10 + digit; // past 2^53 no longer exact, and then not used
      if (point) fraction += 1;
    } else {
      if (point || input[at] !== DOT) break;
      point = true;
    }
  }
  if (point && fraction === 0) return unexpected(at);
  let scale = -fraction;
  if (at < end && (input[at]! | 0x20) === LETTER_E) {
    at = readExponent(at + 1);
    if (at < 0) return -1;
    scale += cursor.exponent;
  }
  let value = 0;
  if (mantissa <= Number.MAX_SAFE_INTEGER && scale >= -22 && scale <= 22) {
    value = scale < 0 ? mantissa / POWER_10[-scale]! : mantissa * POWER_10[scale]!;
  } else if (mantissa > 0) {
    value = Number(text(input, negative ? start + 1 : start, at));
    if (value === Infinity) return fail(start, NUMBER_RANGE);
  }
  return writeValue(negative ? -value : value) ? at : -1;
}

/** Leaves the exponent in the cursor; it stops growing where it can only mean zero or infinity. */
function readExponent(from: number): number {
  const { input, end } = cursor;
  let at = from;
  const negative = at < end && input[at] === MINUS;
  if (negative || (at < end && input[at] === PLUS)) at += 1;
  const first = at;
  let exponent = 0;
  while (at < end) {
    const digit = input[at]! - ZERO;
    if (digit >>> 0 > 9) break;
    if (exponent < 1e14) exponent = exponent * 10 + digit;
    at += 1;
  }
  if (at === first) return unexpected(at);
  cursor.exponent = negative ? -exponent : exponent;
  return at;
}

/** A double as msgpackr writes it: an integer where one of 32 bits says the same. */
function writeValue(value: number): boolean {
  const integer = value >>> 0 === value || value >> 0 === value;
  if (!integer || (value === 0 && 1 / value < 0)) return writeFloat(value);
  return writeSmall(value);
}

/** The rare way out, which allocates. */
function text(input: Uint8Array, from: number, end: number): string {
  if (end - from > TEXT_BY_CHAR_MAX) return Buffer.from(input.subarray(from, end)).toString('latin1');
  let digits = '';
  for (let at = from; at < end; at += 1) digits += String.fromCharCode(input[at]!);
  return digits;
}
