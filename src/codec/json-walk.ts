/** The grammar of JSON over the bytes of one record: values, containers, keys and commas, without recursion. */
import { fail, full, PROTO_KEY, skipSpace, TOO_DEEP, unexpected, theCursor } from './json-cursor.ts';
import type { JsonCursor } from './json-cursor.ts';
import { Headers } from './json-headers.ts';
import { ENTRY_INTS, keyHash, KeyStack, LINEAR_MAX } from './json-keys.ts';
import { writeLiteral } from './json-literal.ts';
import { writeNumber } from './json-number.ts';
import { NO_NODE, ROOT_NODE } from './json-paths.ts';
import type { PathTree } from './json-paths.ts';
import { isProto, writeString } from './json-string.ts';

/** A constant of this module is a constant to the compiler; an imported one is loaded each time. */
const cursor: JsonCursor = theCursor;
const NONE: number = NO_NODE;
const ENTRY: number = ENTRY_INTS;
const LINEAR: number = LINEAR_MAX;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;

/** Ints of an open container: the byte that closes it (0 for none: frame 0), values so far, where its header lies, its number there. */
const FRAME_INTS = 16;
const COUNT = 1;
const START = 2;
const HEADER = 3;
/** Its node in the tree of paths; its first entry among the keys, and a bit for each kind of key in it, twice. */
const NODE = 4;
const KEYS_BASE = 5;
const KEY_KINDS = 6;
/** For a dead entry in the second pass: where to go back to in output and headers. */
const DEAD_START = 7;
const DEAD_HEADER = 8;
const KEY_KINDS_2 = 9;

/** Plain fields, no methods: the walk is free functions over numbers and arrays. */
export class JsonWalk {
  readonly headers: Headers = new Headers();
  readonly keys: KeyStack = new KeyStack();
  readonly frames: Int32Array;
  readonly paths: PathTree;
  /** Node of the value whose key was read last. */
  node: number = NONE;
  /** Where that key lies in the output. */
  keyStart = 0;
  /** The container that is left when others have been closed. */
  frame = 0;
  /** Second pass: input offsets of the dead keys, ascending. */
  dead: Int32Array | undefined = undefined;
  deadAt = 0;

  constructor(paths: PathTree, depthMax: number) {
    this.paths = paths;
    this.frames = new Int32Array((depthMax + 1) * FRAME_INTS);
  }
}

/** From the first byte of the root value to its end. What is likely is asked first: whitespace last. */
export function walkValue(walk: JsonWalk, from: number): number {
  const { frames, paths } = walk;
  const { input, end } = cursor;
  let at = from;
  let frame = 0;
  let node = ROOT_NODE;
  for (;;) {
    let byte = at < end ? input[at]! : 0;
    if (byte <= SPACE) {
      at = skipSpace(at);
      if (at >= end) return unexpected(at);
      byte = input[at]!;
    }
    const start = cursor.out;
    const opens = byte === OPEN_MAP || byte === OPEN_LIST;
    if (opens) at = open(walk, at, (frame += FRAME_INTS), node);
    else if (byte === QUOTE) at = writeString(at + 1);
    else if ((byte - 0x30) >>> 0 <= 9 || byte === MINUS) at = writeNumber(at);
    else at = writeLiteral(at);
    if (at < 0) return -1;
    if (!opens || (at < end && input[at] === byte + 2)) {
      if (node !== NONE && !opens) paths.record(node, start, cursor.out);
      at = leave(walk, at, frame);
      frame = walk.frame;
      if (at < 0 || frame === 0) return at;
    }
    frames[frame + COUNT]! += 1;
    node = frames[frame + NODE]!;
    if (frames[frame] === CLOSE_MAP) {
      at = readKey(walk, at, frame);
      if (at < 0) return -1;
      node = walk.node;
    } else if (node !== NONE) {
      node = paths.byIndex(node, frames[frame + COUNT]! - 1);
    }
  }
}

/** After a value, or in an empty container: closes what ends here, and returns the offset behind a comma, or behind the root value. */
function leave(walk: JsonWalk, from: number, innermost: number): number {
  const { frames } = walk;
  const { input, end } = cursor;
  let at = from;
  let frame = innermost;
  walk.frame = frame;
  if (at < end && input[at] === COMMA && frame !== 0 && walk.dead === undefined) return at + 1;
  for (; frame !== 0; frame -= FRAME_INTS) {
    if (walk.dead !== undefined) takeBack(walk, frame);
    let byte = at < end ? input[at]! : 0;
    if (byte <= SPACE) {
      at = skipSpace(at);
      byte = at < end ? input[at]! : 0;
    }
    if (byte !== COMMA && byte !== frames[frame]) return unexpected(at);
    at += 1;
    if (byte === COMMA) break;
    close(walk, frame);
  }
  walk.frame = frame;
  return at;
}

/** `at` is the offset of the bracket; returns the offset of what follows it. */
function open(walk: JsonWalk, at: number, frame: number, node: number): number {
  const { frames, headers } = walk;
  if (frame >= frames.length) return fail(at, TOO_DEEP);
  const start = cursor.out;
  if (start >= cursor.outEnd) return full();
  frames[frame] = cursor.input[at]! + 2;
  frames[frame + COUNT] = 0;
  frames[frame + START] = start;
  frames[frame + HEADER] = headers.open(start);
  frames[frame + NODE] = node;
  frames[frame + KEYS_BASE] = walk.keys.count;
  frames[frame + KEY_KINDS] = 0;
  frames[frame + KEY_KINDS_2] = 0;
  frames[frame + DEAD_START] = -1;
  cursor.out = start + 1;
  const next = at + 1;
  return next < cursor.end && cursor.input[next]! <= SPACE ? skipSpace(next) : next;
}

function close(walk: JsonWalk, frame: number): void {
  const { frames, headers, keys } = walk;
  const isMap = frames[frame] === CLOSE_MAP;
  const base = frames[frame + KEYS_BASE]!;
  if (keys.count !== base) keys.close(base);
  headers.close(cursor.output, frames[frame + HEADER]!, frames[frame + COUNT]!, isMap);
  const node = frames[frame + NODE]!;
  if (node !== NONE) walk.paths.record(node, frames[frame + START]!, cursor.out);
}

/** A key and its colon; the node of its value is in `walk.node` then. */
function readKey(walk: JsonWalk, from: number, frame: number): number {
  const { frames } = walk;
  const { input, output, end } = cursor;
  const start = cursor.out;
  let at = from;
  if (at >= end || input[at] !== QUOTE) {
    at = skipSpace(at);
    if (at >= end || input[at] !== QUOTE) return unexpected(at);
  }
  const keyAt = at;
  at = writeString(at + 1);
  if (at < 0) return -1;
  const keyEnd = cursor.out;
  if (keyEnd - start === 10 && isProto(output, start + 1)) return fail(keyAt, PROTO_KEY);
  const parent = frames[frame + NODE]!;
  const hash = keyHash(output, start, keyEnd);
  walk.keyStart = start;
  walk.node = parent !== NONE && walk.paths.mayHave(parent, hash) ? walk.paths.byKey(parent, output, start, keyEnd) : NONE;
  if (walk.dead !== undefined) bury(walk, keyAt, start, frame);
  else joinKeys(walk, keyAt, frame, hash);
  if (at >= end || input[at] !== COLON) {
    at = skipSpace(at);
    if (at >= end || input[at] !== COLON) return unexpected(at);
  }
  return at + 1;
}

/** Of most keys the object has not seen both kinds yet (two bits of the hash): they are new without a search. */
function joinKeys(walk: JsonWalk, keyAt: number, frame: number, hash: number): void {
  const { frames, keys, keyStart } = walk;
  const { count } = keys;
  const at = count * ENTRY;
  if (at >= keys.entries.length) keys.enlarge();
  keys.entries[at] = keyStart;
  keys.entries[at + 1] = keyAt;
  const base = frames[frame + KEYS_BASE]!;
  const kind = 1 << hash;
  const kind2 = 1 << (hash >> 5);
  const kinds = frames[frame + KEY_KINDS]!;
  const kinds2 = frames[frame + KEY_KINDS_2]!;
  frames[frame + KEY_KINDS] = kinds | kind;
  frames[frame + KEY_KINDS_2] = kinds2 | kind2;
  if (((kinds & kind) === 0 || (kinds2 & kind2) === 0) && count - base < LINEAR) keys.count = count + 1;
  else keys.add(cursor.output, cursor.out, base);
}

/** Second pass: a dead entry is written only to be taken back, and nothing in it is picked. */
function bury(walk: JsonWalk, keyAt: number, start: number, frame: number): void {
  if (walk.dead![walk.deadAt] !== keyAt) return;
  walk.deadAt += 1;
  walk.node = NONE;
  walk.frames[frame + DEAD_START] = start;
  walk.frames[frame + DEAD_HEADER] = walk.headers.count;
}

function takeBack(walk: JsonWalk, frame: number): void {
  const { frames, headers } = walk;
  if (frames[frame + DEAD_START]! < 0) return;
  cursor.out = frames[frame + DEAD_START]!;
  frames[frame + DEAD_START] = -1;
  frames[frame + COUNT]! -= 1;
  headers.drop(frames[frame + DEAD_HEADER]!);
}
