/**
 * One JSON value becomes the msgpack bytes of the same value, in one pass, without an object, a string or an allocation.
 * Accepted is what JSON.parse accepts, but nothing is rounded, replaced or dropped silently: see `reason`.
 */
import { aim, fail, full, INVALID_JSON, skipSpace, theCursor } from './json-cursor.ts';
import type { JsonCursor } from './json-cursor.ts';
import { PathTree } from './json-paths.ts';
import { JsonWalk, walkValue } from './json-walk.ts';
import type { FieldPath, RecordEncoder } from './record-encoder.ts';

/** A constant of this module is a constant to the compiler; an imported one is loaded each time. */
const cursor: JsonCursor = theCursor;

const DEPTH_MAX = 512;

/**
 * Of a repeated key the last value stays, at the place of the last. Such a record is read a second time: the first pass tells
 * which entries die, the second takes each back as soon as it is written. So the output needs room for all values of one key.
 * Input and output may be views of one buffer, but their ranges must not overlap. Give the same views for all records: a new
 * one costs an allocation.
 */
export class JsonTranscoder implements RecordEncoder {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  readonly #walk: JsonWalk;
  #reason = 0;
  #errorAt = -1;

  constructor(paths: readonly FieldPath[], { depthMax = DEPTH_MAX }: { readonly depthMax?: number } = {}) {
    const tree = new PathTree(paths);
    this.pickStart = tree.pickStart;
    this.pickEnd = tree.pickEnd;
    this.#walk = new JsonWalk(tree, depthMax);
  }

  get reason(): number {
    return this.#reason;
  }

  get errorAt(): number {
    return this.#errorAt;
  }

  // oxlint-disable-next-line max-params -- hot path: an options object per record would allocate
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number {
    const walk = this.#walk;
    const { keys, headers, paths } = walk;
    aim(input, output);
    cursor.end = end;
    cursor.outEnd = outEnd;
    cursor.reason = 0;
    cursor.errorAt = -1;
    keys.reset();
    walk.dead = undefined;
    let at = pass(walk, start, outStart);
    if (at >= 0 && keys.deadCount > 0) {
      walk.dead = keys.sortedDead();
      walk.deadAt = 0;
      at = pass(walk, start, outStart);
    }
    const { grow } = headers;
    if (at >= 0 && cursor.out + grow > outEnd) at = full();
    this.#reason = cursor.reason;
    this.#errorAt = cursor.errorAt;
    if (at < 0) {
      paths.reset();
      return cursor.outcome;
    }
    if (grow > 0) headers.write(output, cursor.out, paths);
    return cursor.out + grow;
  }
}

/** The whole record, with the space around its value. */
function pass(walk: JsonWalk, start: number, outStart: number): number {
  const { headers, paths } = walk;
  cursor.out = outStart;
  headers.reset();
  paths.reset();
  let at = skipSpace(start);
  if (at >= cursor.end) return fail(at, INVALID_JSON); // nothing began, so nothing was cut off
  at = walkValue(walk, at);
  if (at >= 0 && at < cursor.end) at = skipSpace(at);
  if (at >= 0 && at < cursor.end) return fail(at, INVALID_JSON);
  return at;
}
