/** Finds where msgpack values end, and fields inside them, without decoding: never recursive, never past the range, whatever the bytes claim. */
import type { FieldPath } from './record-encoder.ts';
import { DEPTH_MAX, SCAN_TOO_DEEP, SCAN_TRUNCATED, bodyBytes, childCount, headEnd, isArray, isMap, isString } from './msgpack-tokens.ts';

/**
 * Offset after the value at `at`, SCAN_TRUNCATED or SCAN_INVALID, at any depth: only the number of values still to come is
 * kept, not where they belong, so this is for borders and says nothing of depth.
 */
export function valueBorder(bytes: Uint8Array, at: number, end: number): number {
  let left = 1; // Claims add up to at most 2^33 per five bytes: exact in a double for any range a buffer can have.
  let next = at;
  while (left > 0) {
    const head = headEnd(bytes, next, end);
    if (head < 0) return head;
    const after = head + bodyBytes(bytes, next);
    if (after > end) return SCAN_TRUNCATED;
    left += childCount(bytes, next) - 1;
    next = after;
  }
  return next;
}

/** Children still to come of each open container; one per thread, and a scan never waits, so it is never shared. */
const open = new Int32Array(DEPTH_MAX + 1);

/** Offset after the value at `at`, or SCAN_TRUNCATED, SCAN_INVALID or SCAN_TOO_DEEP. A claim of more than the range holds ends the scan at once. */
export function scanValue(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let left = 1;
  let next = at;
  for (;;) {
    const head = headEnd(bytes, next, end);
    if (head < 0) return head;
    const token = bytes[next]!;
    const after = head + bodyBytes(bytes, next);
    if (after > end) return SCAN_TRUNCATED;
    left--;
    if (isMap(token) || isArray(token)) {
      const children = childCount(bytes, next);
      if (depth >= DEPTH_MAX) return SCAN_TOO_DEEP;
      if (children > end - after) return SCAN_TRUNCATED;
      open[depth++] = left;
      left = children | 0; // Not more than the bytes there are.
    }
    next = after;
    while (left === 0) {
      if (depth === 0) return next;
      left = open[--depth]!;
    }
  }
}

/** Offset after the value at `at`, or -1 when it is truncated, invalid or too deep. */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  const head = headEnd(bytes, at, end);
  if (head < 0) return -1;
  const token = bytes[at]!;
  // Most values are no containers and end here.
  const after = isMap(token) || isArray(token) ? scanValue(bytes, at, end) : head + bodyBytes(bytes, at);
  return after < 0 || after > end ? -1 : after;
}

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** Picks fields by path; the last of equal keys wins, as in JSON.parse. */
export class MsgpackPicker {
  /** For each path: where its value lies, or -1 when there is none. */
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  /** Per path, its tokens as UTF-8 and as array index (-1 = none). */
  readonly #keys: readonly (readonly Uint8Array[])[];
  readonly #indexes: readonly (readonly number[])[];
  #last = -1;

  constructor(paths: readonly FieldPath[]) {
    this.pickStart = new Int32Array(paths.length).fill(-1);
    this.pickEnd = new Int32Array(paths.length).fill(-1);
    const encoder = new TextEncoder();
    this.#keys = paths.map((path) => path.map((token) => encoder.encode(token)));
    this.#indexes = paths.map((path) => path.map((token) => (INDEX.test(token) ? Number(token) : -1)));
  }

  /** Picks out of the one value in [start, end). */
  pick(bytes: Uint8Array, start: number, end: number): void {
    for (let path = 0; path < this.#keys.length; path++) {
      const keys = this.#keys[path]!;
      let at = start;
      for (let level = 0; level < keys.length && at >= 0; level++) {
        const token = at < end ? bytes[at]! : 0;
        if (isMap(token)) at = this.#member(bytes, at, end, keys[level]!);
        else if (isArray(token)) at = element(bytes, at, end, this.#indexes[path]![level]!);
        else at = -1;
      }
      const after = at < 0 ? -1 : skipValue(bytes, at, end);
      this.pickStart[path] = after < 0 ? -1 : at;
      this.pickEnd[path] = after;
    }
  }

  #member(bytes: Uint8Array, at: number, end: number, key: Uint8Array): number {
    let next = headEnd(bytes, at, end);
    if (next < 0) return -1;
    this.#last = -1;
    for (let left = childCount(bytes, at) / 2; left > 0; left--) {
      const value = skipValue(bytes, next, end);
      if (value < 0) return -1;
      if (isString(bytes[next]!) && keyEquals(bytes, next, value, key)) this.#last = value;
      next = skipValue(bytes, value, end);
      if (next < 0) return -1;
    }
    return this.#last;
  }
}

function keyEquals(bytes: Uint8Array, at: number, end: number, key: Uint8Array): boolean {
  const length = bodyBytes(bytes, at);
  if (length !== key.length) return false;
  const start = end - length;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== key[i]) return false;
  return true;
}

function element(bytes: Uint8Array, at: number, end: number, index: number): number {
  if (index < 0 || index >= childCount(bytes, at)) return -1;
  let next = headEnd(bytes, at, end);
  for (let i = 0; i < index && next >= 0; i++) next = skipValue(bytes, next, end);
  return next;
}
