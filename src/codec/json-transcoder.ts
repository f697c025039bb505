/**
 * One JSON value becomes the msgpack bytes of the same value, in one pass, without an object, a string or an allocation.
 * Accepted is what JSON.parse accepts, but nothing is rounded, replaced or dropped silently: see `reason`.
 */
import { fail, full, INVALID_JSON, JsonCursor, PROTO_KEY, skipSpace, TOO_DEEP, unexpected } from './json-cursor.ts';
import { Headers } from './json-headers.ts';
import { KeyStack } from './json-keys.ts';
import { writeLiteral } from './json-literal.ts';
import { writeNumber } from './json-number.ts';
import { NO_NODE, PathTree, ROOT_NODE } from './json-paths.ts';
import { headerBytesOf, isProto, writeString } from './json-string.ts';
import type { FieldPath, RecordEncoder } from './record-encoder.ts';

const DEPTH_MAX = 512;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;

/** Ints of an open container: the byte that closes it, values so far, where its header lies and its number there. */
const FRAME_INTS = 8;
const COUNT = 1;
const START = 2;
const HEADER = 3;
/** Its node in the tree of paths; and, for a dead entry in the second pass, where to go back to in output and headers. */
const NODE = 4;
const DEAD_START = 5;
const DEAD_HEADER = 6;

/**
 * Of a repeated key the last value stays, at the place of the last. Such a record is read a second time: the first pass tells
 * which entries die, the second takes each back as soon as it is written. So the output needs room for all values of one key.
 * Input and output may be views of one buffer, but their ranges must not overlap.
 */
export class JsonTranscoder implements RecordEncoder {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  readonly #paths: PathTree;
  readonly #cursor: JsonCursor = new JsonCursor();
  readonly #headers: Headers = new Headers();
  readonly #keys: KeyStack;
  readonly #frames: Int32Array;
  readonly #depthMax: number;
  #depth = 0;
  /** Node of the value that comes next. */
  #node: number = NO_NODE;
  /** Second pass: input offsets of the dead keys, ascending. */
  #dead: Int32Array | undefined;
  #deadAt = 0;

  constructor(paths: readonly FieldPath[], { depthMax = DEPTH_MAX }: { readonly depthMax?: number } = {}) {
    this.#paths = new PathTree(paths);
    this.pickStart = this.#paths.pickStart;
    this.pickEnd = this.#paths.pickEnd;
    this.#keys = new KeyStack(depthMax);
    this.#frames = new Int32Array((depthMax + 1) * FRAME_INTS); // frame 0 stands for no container
    this.#depthMax = depthMax;
  }

  get reason(): number {
    return this.#cursor.reason;
  }

  get errorAt(): number {
    return this.#cursor.errorAt;
  }

  // oxlint-disable-next-line max-params -- hot path: an options object per record would allocate
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number {
    const cursor = this.#cursor;
    cursor.input = input;
    cursor.end = end;
    cursor.output = output;
    cursor.outEnd = outEnd;
    cursor.reason = 0;
    cursor.errorAt = -1;
    this.#keys.reset();
    this.#dead = undefined;
    let at = this.#pass(start, outStart);
    if (at >= 0 && this.#keys.deadCount > 0) {
      this.#dead = this.#keys.sortedDead();
      this.#deadAt = 0;
      at = this.#pass(start, outStart);
    }
    const grow = this.#headers.grow;
    if (at >= 0 && cursor.out + grow > outEnd) at = full(cursor);
    if (at < 0) {
      this.#paths.reset();
      return cursor.outcome;
    }
    if (grow > 0) this.#headers.write(output, cursor.out, this.#paths);
    return cursor.out + grow;
  }

  #pass(start: number, outStart: number): number {
    const cursor = this.#cursor;
    cursor.out = outStart;
    this.#depth = 0;
    this.#node = ROOT_NODE;
    this.#headers.reset();
    this.#paths.reset();
    let at = skipSpace(cursor, start);
    if (at >= cursor.end) return fail(cursor, at, INVALID_JSON); // nothing began, so nothing was cut off
    at = this.#walk(at);
    if (at >= 0 && at < cursor.end) at = skipSpace(cursor, at);
    if (at >= 0 && at < cursor.end) return fail(cursor, at, INVALID_JSON);
    return at;
  }

  /** From the root value to its end. */
  #walk(from: number): number {
    const cursor = this.#cursor;
    const { input, end } = cursor;
    let at = from;
    for (;;) {
      if (at < end && input[at]! <= 0x20) at = skipSpace(cursor, at);
      if (at >= end) return unexpected(cursor, at);
      const byte = input[at]!;
      const out = cursor.out;
      if (byte === OPEN_MAP || byte === OPEN_LIST) {
        at = this.#open(at, byte);
      } else {
        const node = this.#node;
        if (byte === QUOTE) at = writeString(cursor, at + 1, out);
        else if (byte === MINUS || (byte - 0x30) >>> 0 <= 9) at = writeNumber(cursor, at, out);
        else at = writeLiteral(cursor, at);
        if (node !== NO_NODE && at >= 0) this.#paths.record(node, out, cursor.out);
        if (at >= 0) at = this.#after(at);
      }
      if (at < 0 || this.#depth === 0) return at;
    }
  }

  /** `at` is the offset of the bracket; returns the offset of the first value inside, or of what follows an empty container. */
  #open(at: number, bracket: number): number {
    const cursor = this.#cursor;
    if (this.#depth === this.#depthMax) return fail(cursor, at, TOO_DEEP);
    const start = cursor.out;
    if (start >= cursor.outEnd) return full(cursor);
    this.#depth += 1;
    const frame = this.#depth * FRAME_INTS;
    const frames = this.#frames;
    frames[frame] = bracket + 2; // ] and } stand two after [ and {
    frames[frame + COUNT] = 0;
    frames[frame + START] = start;
    frames[frame + HEADER] = this.#headers.open(start);
    frames[frame + NODE] = this.#node;
    frames[frame + DEAD_START] = -1;
    cursor.out = start + 1;
    if (bracket === OPEN_MAP) this.#keys.open();
    const next = skipSpace(cursor, at + 1);
    if (next < cursor.end && cursor.input[next] === bracket + 2) return this.#after(next);
    return this.#begin(next, frame);
  }

  /** After a value, or after the bracket of an empty container: closes what ends here and goes on to the next value. */
  #after(from: number): number {
    const cursor = this.#cursor;
    const { input, end } = cursor;
    const frames = this.#frames;
    let at = from;
    while (this.#depth > 0) {
      const frame = this.#depth * FRAME_INTS;
      if (this.#dead !== undefined && frames[frame + DEAD_START]! >= 0) this.#takeBack(frame);
      if (at < end && input[at]! <= 0x20) at = skipSpace(cursor, at);
      const byte = at < end ? input[at]! : 0;
      if (byte === COMMA) return this.#begin(at + 1, frame);
      if (byte !== frames[frame]) return unexpected(cursor, at);
      at += 1;
      this.#depth -= 1;
      const isMap = byte === CLOSE_MAP;
      if (isMap) this.#keys.close();
      this.#headers.close(cursor.output, frames[frame + HEADER]!, frames[frame + COUNT]!, isMap);
      const node = frames[frame + NODE]!;
      if (node !== NO_NODE) this.#paths.record(node, frames[frame + START]!, cursor.out);
    }
    return at;
  }

  /** The next value of the innermost container begins, with its key if it is a map. */
  #begin(at: number, frame: number): number {
    const frames = this.#frames;
    const index = frames[frame + COUNT]!;
    frames[frame + COUNT] = index + 1;
    if (frames[frame] !== CLOSE_LIST) return this.#key(at, frame);
    const parent = frames[frame + NODE]!;
    this.#node = parent === NO_NODE ? NO_NODE : this.#paths.byIndex(parent, index);
    return at;
  }

  #key(from: number, frame: number): number {
    const cursor = this.#cursor;
    const { input, output, end } = cursor;
    const start = cursor.out;
    let at = from;
    if (at < end && input[at]! <= 0x20) at = skipSpace(cursor, at);
    if (at >= end || input[at] !== QUOTE) return unexpected(cursor, at);
    const keyAt = at;
    at = writeString(cursor, at + 1, start);
    if (at < 0) return -1;
    const body = start + headerBytesOf(output[start]!);
    if (cursor.out - body === 9 && isProto(output, body)) return fail(cursor, keyAt, PROTO_KEY);
    const parent = this.#frames[frame + NODE]!;
    this.#node = parent === NO_NODE ? NO_NODE : this.#paths.byKey(parent, output, body, cursor.out);
    if (this.#dead === undefined) this.#keys.add(output, body, cursor.out, keyAt);
    else if (this.#dead[this.#deadAt] === keyAt) this.#bury(frame, start);
    if (at < end && input[at]! <= 0x20) at = skipSpace(cursor, at);
    if (at >= end || input[at] !== COLON) return unexpected(cursor, at);
    return at + 1;
  }

  /** Second pass: this entry is written only to be taken back, and nothing in it is picked. */
  #bury(frame: number, start: number): void {
    this.#deadAt += 1;
    this.#node = NO_NODE;
    this.#frames[frame + DEAD_START] = start;
    this.#frames[frame + DEAD_HEADER] = this.#headers.count;
  }

  #takeBack(frame: number): void {
    const frames = this.#frames;
    this.#cursor.out = frames[frame + DEAD_START]!;
    frames[frame + DEAD_START] = -1;
    frames[frame + COUNT]! -= 1;
    this.#headers.drop(frames[frame + DEAD_HEADER]!);
  }
}
