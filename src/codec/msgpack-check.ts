/** Accepts exactly the msgpack values that every reader can trust: whole, at most 512 deep, strings in UTF-8, no `__proto__` key. */
import { reasonCode } from '../api/reject-reasons.ts';
import { DEPTH_MAX, SCAN_INVALID, bodyBytes, childCount, headEnd, isArray, isMap, isString } from './msgpack-tokens.ts';
import { utf8Fault } from './utf8.ts';

const NONE = reasonCode('none');
const TRUNCATED = reasonCode('truncated');
const INVALID = reasonCode('invalid_msgpack');
const TOO_DEEP = reasonCode('too_deep');
const UTF8 = reasonCode('invalid_utf8');
const PROTO_KEY = reasonCode('proto_key');

const PROTO = Uint8Array.from('__proto__', (char) => char.charCodeAt(0));
const EXT_TIMESTAMP = 0xff;

/** One checker per thread and purpose; `check` keeps nothing between calls but its result. */
export class MsgpackChecker {
  /** Children still to come of each open container. */
  readonly #left: Float64Array = new Float64Array(DEPTH_MAX + 1);
  /** 1 where the open container is a map: its even children (counted from the end) are keys. */
  readonly #map: Uint8Array = new Uint8Array(DEPTH_MAX + 1);
  /** Where and why the last value was refused. */
  at = 0;
  reason: number = NONE;
  /** The last value holds an ext value other than a timestamp. */
  extended = false;

  /** Offset after the one value that begins at `start`, or -1 with `reason` and `at`. */
  check(bytes: Uint8Array, start: number, end: number): number {
    this.extended = false;
    let depth = 0;
    let left = 1;
    let inMap = 0;
    let next = start;
    for (;;) {
      const head = headEnd(bytes, next, end);
      if (head < 0) return this.#refuse(head === SCAN_INVALID ? INVALID : TRUNCATED, head === SCAN_INVALID ? next : end);
      const token = bytes[next]!;
      const after = head + bodyBytes(bytes, next);
      if (after > end) return this.#refuse(TRUNCATED, end);
      if (token >= 0xa0 && !this.#leafAllowed(bytes, next, head, after, inMap === 1 && left % 2 === 0)) return -1;
      left--;
      if (isMap(token) || isArray(token)) {
        const children = childCount(bytes, next);
        if (depth >= DEPTH_MAX) return this.#refuse(TOO_DEEP, next);
        if (children > end - after) return this.#refuse(TRUNCATED, end);
        this.#left[depth] = left;
        this.#map[depth++] = inMap;
        left = children;
        inMap = isMap(token) ? 1 : 0;
      }
      next = after;
      while (left === 0) {
        if (depth === 0) return next;
        left = this.#left[--depth]!;
        inMap = this.#map[depth]!;
      }
    }
  }

  /** What a str or ext must hold beyond its length. */
  #leafAllowed(bytes: Uint8Array, at: number, head: number, after: number, isKey: boolean): boolean { // oxlint-disable-line max-params -- hot path: an options object per value would allocate
    const token = bytes[at]!;
    if (isString(token)) {
      const fault = utf8Fault(bytes, head, after);
      if (fault >= 0) return this.#refuse(UTF8, fault) >= 0;
      if (isKey && isProto(bytes, head, after)) return this.#refuse(PROTO_KEY, head) >= 0;
    } else if (token >= 0xd4 && token <= 0xd8) {
      if (bytes[at + 1] !== EXT_TIMESTAMP) this.extended = true;
    } else if (token >= 0xc7 && token <= 0xc9) {
      if (bytes[head] !== EXT_TIMESTAMP) this.extended = true;
    }
    return true;
  }

  #refuse(reason: number, at: number): -1 {
    this.reason = reason;
    this.at = at;
    return -1;
  }
}

function isProto(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== PROTO.length) return false;
  for (let i = 0; i < PROTO.length; i++) if (bytes[start + i] !== PROTO[i]) return false;
  return true;
}
