/** Writes a msgpack scalar as text: a string as it is, a number by JSON's rules with every digit of 64-bit integers, a boolean by name. */
import { bodyBytes, headEnd, isString, readUnsigned } from './msgpack-tokens.ts';

const TWO_32 = 0x1_0000_0000;
const SAFE_HIGH_MAX = 0x1f_ffff; // High word of 2^53 - 1.

const scratch = new DataView(new ArrayBuffer(8));
/** Digits of the number being written, last one first; 20 are enough for 64 bits. */
const digits = new Uint8Array(24);
/** 16-bit limbs of the number being divided, highest first. */
const limbs = new Uint16Array(4);

/** Offset in `output` after the text; -1 for nil, map, array, bin, ext, a number JSON has no text for, or a text that does not fit. */
// oxlint-disable-next-line max-params -- hot path: an options object per event would allocate
export function scalarText(bytes: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number {
  const head = headEnd(bytes, start, end);
  if (head < 0) return -1;
  const token = bytes[start]!;
  if (isString(token)) {
    const length = bodyBytes(bytes, start);
    if (head + length > end || outStart + length > outEnd) return -1;
    for (let i = 0; i < length; i++) output[outStart + i] = bytes[head + i]!;
    return outStart + length;
  }
  if (token < 0x80) return integer(0, token, false, output, outStart, outEnd);
  if (token >= 0xe0) return integer(0, 0x100 - token, true, output, outStart, outEnd);
  if (token === 0xc2) return ascii('false', output, outStart, outEnd);
  if (token === 0xc3) return ascii('true', output, outStart, outEnd);
  if (token === 0xca || token === 0xcb) return float(bytes, start + 1, token === 0xca ? 4 : 8, output, outStart, outEnd);
  if (token < 0xcc || token > 0xd3) return -1;
  const size = 1 << ((token - 0xcc) & 3);
  const high = size === 8 ? readUnsigned(bytes, start + 1, 4) : 0;
  const low = readUnsigned(bytes, size === 8 ? start + 5 : start + 1, Math.min(size, 4));
  if (token < 0xd0 || bytes[start + 1]! < 0x80) return integer(high, low, false, output, outStart, outEnd);
  if (size < 8) return integer(0, 2 ** (8 * size) - low, true, output, outStart, outEnd);
  // Two's complement of 64 bits, word by word.
  return integer(low === 0 ? TWO_32 - high : TWO_32 - 1 - high, low === 0 ? 0 : TWO_32 - low, true, output, outStart, outEnd);
}

// oxlint-disable-next-line max-params -- hot path
function integer(high: number, low: number, negative: boolean, output: Uint8Array, outStart: number, outEnd: number): number {
  let count = high > SAFE_HIGH_MAX ? wideDigits(high, low) : 0;
  if (count === 0) {
    let rest = high * TWO_32 + low;
    do {
      const next = Math.floor(rest / 10);
      digits[count++] = rest - next * 10;
      rest = next;
    } while (rest > 0);
  }
  let at = outStart;
  if (at + count + (negative ? 1 : 0) > outEnd) return -1;
  if (negative) output[at++] = 0x2d;
  while (count > 0) output[at++] = 0x30 + digits[--count]!;
  return at;
}

/** Long division by 10,000 in 16-bit limbs: every step is exact in a double. */
function wideDigits(high: number, low: number): number {
  limbs[0] = high >>> 16;
  limbs[1] = high & 0xffff;
  limbs[2] = low >>> 16;
  limbs[3] = low & 0xffff;
  let count = 0;
  for (let round = 0; round < 5; round++) {
    let rest = 0;
    for (let limb = 0; limb < 4; limb++) {
      const value = rest * 0x1_0000 + limbs[limb]!;
      limbs[limb] = Math.floor(value / 10_000);
      rest = value % 10_000;
    }
    for (let digit = 0; digit < 4; digit++, rest = Math.floor(rest / 10)) digits[count++] = rest % 10;
  }
  while (count > 1 && digits[count - 1] === 0) count--;
  return count;
}

// oxlint-disable-next-line max-params -- hot path
function float(bytes: Uint8Array, at: number, size: number, output: Uint8Array, outStart: number, outEnd: number): number {
  for (let i = 0; i < size; i++) scratch.setUint8(i, bytes[at + i]!);
  const value = size === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0);
  if (!Number.isFinite(value)) return -1;
  return ascii(String(value), output, outStart, outEnd);
}

function ascii(text: string, output: Uint8Array, outStart: number, outEnd: number): number {
  if (outStart + text.length > outEnd) return -1;
  for (let i = 0; i < text.length; i++) output[outStart + i] = text.charCodeAt(i);
  return outStart + text.length;
}
