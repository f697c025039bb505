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
  readonly #left: Int32Array = new Int32Array(DEPTH_MAX + 1);
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
      if (next >= end) return refuse(this, TRUNCATED, end);
      const token = bytes[next]!;
      const after = token >= 0x80 && token < 0xe0 ? valueEnd(this, bytes, next, end, inMap === 1 && (left & 1) === 0) : next + 1;
      if (after < 0) return -1;
      left--;
      if (token >= 0x80 && token < 0xe0 && (isMap(token) || isArray(token))) {
        const children = childCount(bytes, next);
        if (depth >= DEPTH_MAX) return refuse(this, TOO_DEEP, next);
        if (children > end - after) return refuse(this, TRUNCATED, end);
        this.#left[depth] = left;
        this.#map[depth++] = inMap;
        left = children | 0; // Not more than the bytes there are: an integer, and odd or even at no cost.
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
}

/** Offset after the value's own bytes, those inside a container not counted; -1 when it is refused. Free functions: calls of private methods cost more here. */
// oxlint-disable-next-line max-params -- hot path: an options object per value would allocate
function valueEnd(checker: MsgpackChecker, bytes: Uint8Array, at: number, end: number, isKey: boolean): number {
  const token = bytes[at]!;
  if (token < 0xa0) return at + 1; // The head of a short container.
  const head = headEnd(bytes, at, end);
  if (head < 0) return head === SCAN_INVALID ? refuse(checker, INVALID, at) : refuse(checker, TRUNCATED, end);
  const after = head + bodyBytes(bytes, at);
  if (after > end) return refuse(checker, TRUNCATED, end);
  if (isString(token)) {
    const fault = utf8Fault(bytes, head, after);
    if (fault >= 0) return refuse(checker, UTF8, fault);
    if (isKey && after - head === PROTO.length && isProto(bytes, head)) return refuse(checker, PROTO_KEY, head);
  } else if (token >= 0xd4 && token <= 0xd8) {
    if (bytes[at + 1] !== EXT_TIMESTAMP) checker.extended = true;
  } else if (token >= 0xc7 && token <= 0xc9) {
    if (bytes[head] !== EXT_TIMESTAMP) checker.extended = true;
  }
  return after;
}

function refuse(checker: MsgpackChecker, reason: number, at: number): -1 {
  checker.reason = reason;
  checker.at = at;
  return -1;
}

function isProto(bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < PROTO.length; i++) if (bytes[start + i] !== PROTO[i]) return false;
  return true;
}
