/** Reads the head of one msgpack value: its kind, the bytes of its body, the values inside it; never past its range. */

/** More bytes could still complete the value. */
export const SCAN_TRUNCATED = -1;
/** Byte 0xc1, which no value begins with. */
export const SCAN_INVALID = -2;
/** More containers inside each other than DEPTH_MAX. */
export const SCAN_TOO_DEEP = -3;

/** Containers inside each other, at most; the same limit as for JSON. */
export const DEPTH_MAX = 512;

export const TOKEN_UNUSED = 0xc1;
export const TOKENS_FIRST = 0xc0;

/** By token 0xc0 to 0xdf: bytes of the whole value when that is fixed, else 0. */
export const FIXED_BYTES: Uint8Array = Uint8Array.of(
  1,
  0,
  1,
  1,
  0,
  0,
  0,
  0,
  0,
  0,
  5,
  9,
  2,
  3,
  5,
  9,
  2,
  3,
  5,
  9,
  3,
  4,
  6,
  10,
  18,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
);
/** By token 0xc0 to 0xdf: bytes of the length that follows the token, else 0. */
export const LENGTH_BYTES: Uint8Array = Uint8Array.of(
  0,
  0,
  0,
  0,
  1,
  2,
  4,
  1,
  2,
  4,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  2,
  4,
  2,
  4,
  2,
  4,
);

/** Big-endian unsigned number of `count` (1, 2 or 4) bytes. */
export function readUnsigned(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/** Where the head (token and length) of the value at `at` ends; the whole value for what has a fixed size. Negative as `scanValue`. */
export function headEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return SCAN_TRUNCATED;
  const token = bytes[at]!;
  if (token < TOKENS_FIRST || token >= 0xe0) return at + 1;
  if (token === TOKEN_UNUSED) return SCAN_INVALID;
  const fixed = FIXED_BYTES[token - TOKENS_FIRST]!;
  const after = at + (fixed > 0 ? fixed : 1 + LENGTH_BYTES[token - TOKENS_FIRST]!);
  return after > end ? SCAN_TRUNCATED : after;
}

/** Bytes that follow the head of a str, bin or ext (its type byte included), else 0. The head must be whole. */
export function bodyBytes(bytes: Uint8Array, at: number): number {
  const token = bytes[at]!;
  if (token >= 0xa0 && token < TOKENS_FIRST) return token & 0x1f;
  if (token >= 0xc4 && token <= 0xc9) return readUnsigned(bytes, at + 1, LENGTH_BYTES[token - TOKENS_FIRST]!) + (token >= 0xc7 ? 1 : 0);
  if (token >= 0xd9 && token <= 0xdb) return readUnsigned(bytes, at + 1, LENGTH_BYTES[token - TOKENS_FIRST]!);
  return 0;
}

/** Values inside a container: keys and values of a map are counted singly. 0 for everything else. The head must be whole. */
export function childCount(bytes: Uint8Array, at: number): number {
  const token = bytes[at]!;
  if (token >= 0x80 && token < 0x90) return (token & 0x0f) * 2;
  if (token >= 0x90 && token < 0xa0) return token & 0x0f;
  if (token < 0xdc || token > 0xdf) return 0;
  const count = readUnsigned(bytes, at + 1, LENGTH_BYTES[token - TOKENS_FIRST]!);
  return token >= 0xde ? count * 2 : count;
}

export function isMap(token: number): boolean {
  return (token >= 0x80 && token < 0x90) || token === 0xde || token === 0xdf;
}

export function isArray(token: number): boolean {
  return (token >= 0x90 && token < 0xa0) || token === 0xdc || token === 0xdd;
}

export function isString(token: number): boolean {
  return (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb);
}
