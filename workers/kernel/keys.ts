/**
 * Keys, by speculation: records of one stream repeat theirs, so each key is first compared with the one last seen at its place, and its msgpack copied.
 * The remembered keys are one chain: each was learned behind hits on all before it, so keys that all match are distinct as those were.
 */
import { F_DIRTY, F_HASHES, F_NODE, F_SHAPE, S_HASH, S_IN, S_IN_BYTES, S_KEY_BYTES_MAX, S_NODE, S_OUT, S_OUT_BYTES, S_PARENT_NODE, S_PARENT_SHAPE, S_PICK, STATE } from './state';
import { NONE, skipSpace } from './scan';
import { resultOut, writeString } from './string';

const KEYS_MAX: usize = 128; // Of one object: each new key is compared with all.

/** What the last key left: the end of the output, the node of its value, its pick. */
export namespace keyEnd {
  export let out: usize = 0;
  export let node: u32 = 0;
  export let pick: i32 = -1;
}

/** The key as it was at this place last time: returns where its value begins, or 0. */
// @ts-ignore: decorator
@inline
export function matchKey(S: usize, at: usize, out: usize, shape: u32, frame: usize, hashes: usize): usize {
  if (shape >= load<u32>(S, STATE.SHAPES) || hashes >= S + STATE.HASHES_END) return 0;
  const entry = S + STATE.SHAPE + <usize>shape * STATE.SHAPE_BYTES;
  const bytes: usize = load<u32>(entry, S_IN_BYTES);
  if (!sameBytes(at, entry + S_IN, bytes)) return 0;
  if (load<u32>(entry, S_PARENT_SHAPE) != load<u32>(frame, F_SHAPE) || load<u32>(entry, S_PARENT_NODE) != load<u32>(frame, F_NODE)) return 0;
  const hash = load<u32>(entry, S_HASH);
  if (load<u32>(frame, F_DIRTY) != 0 && isRepeated(frame, hashes, hash)) return 0;
  store<u32>(hashes, hash);
  v128.store(out, v128.load(entry, S_OUT));
  const length: usize = load<u32>(entry, S_OUT_BYTES);
  if (length > 16) {
    v128.store(out, v128.load(entry, S_OUT + 16), 16);
    v128.store(out, v128.load(entry, S_OUT + 32), 32);
  }
  keyEnd.out = out + length;
  keyEnd.node = load<u32>(entry, S_NODE);
  keyEnd.pick = load<i32>(entry, S_PICK);
  return at + bytes;
}

/** Any other key: read, compared with its siblings, and learned. Returns where its value begins, or 0. */
export function readKey(S: usize, at: usize, out: usize, shape: u32, frame: usize, hashes: usize, inEnd: usize): usize {
  const end = writeString(at + 1, out, inEnd);
  if (end == 0) return 0;
  const head = load<u8>(out);
  if (head > 0xd9) return 0; // Longer than any key of sense.
  const text = out + (head == 0xd9 ? 2 : 1);
  const length = resultOut - text;
  const colon = skipSpace(end, inEnd);
  if (load<u8>(colon) != 0x3a || isProto(text, length)) return 0;
  const value = skipSpace(colon + 1, inEnd);
  if (value >= inEnd || hashes >= S + STATE.HASHES_END) return 0;
  const hash = hashOf(text, length);
  if (isRepeated(frame, hashes, hash)) return 0;
  store<u32>(frame, 1, F_DIRTY);
  store<u32>(hashes, hash);
  keyEnd.out = resultOut;
  resolve(S, load<u32>(frame, F_NODE), text, length);
  learn(S, shape, frame, at, value - at, out, hash);
  return value;
}

/** Keeps the key for the next record. What was remembered behind it belonged to another chain, and a chain ends where a key was too long for it. */
function learn(S: usize, shape: u32, frame: usize, at: usize, inBytes: usize, out: usize, hash: u32): void {
  if (load<u32>(S, STATE.SHAPES) < shape) return;
  const fits = inBytes <= S_KEY_BYTES_MAX && shape < STATE.SHAPES_MAX;
  store<u32>(S, fits ? shape + 1 : shape, STATE.SHAPES);
  if (!fits) return;
  const entry = S + STATE.SHAPE + <usize>shape * STATE.SHAPE_BYTES;
  const outBytes = keyEnd.out - out;
  store<u32>(entry, inBytes as u32, S_IN_BYTES);
  store<u32>(entry, outBytes as u32, S_OUT_BYTES);
  store<u32>(entry, load<u32>(frame, F_SHAPE), S_PARENT_SHAPE);
  store<u32>(entry, load<u32>(frame, F_NODE), S_PARENT_NODE);
  store<u32>(entry, keyEnd.node, S_NODE);
  store<i32>(entry, keyEnd.pick, S_PICK);
  store<u32>(entry, hash, S_HASH);
  memory.copy(entry + S_IN, at, inBytes);
  memory.copy(entry + S_OUT, out, outBytes);
}

/** Follows the tree of picked paths by one key. */
function resolve(S: usize, node: u32, text: usize, length: usize): void {
  keyEnd.node = NONE as u32;
  keyEnd.pick = -1;
  if (node == (NONE as u32)) return;
  const count = load<u32>(S, STATE.TRIE_COUNT);
  for (let index: u32 = 0; index < count; index += 1) {
    const edge = S + STATE.TRIE + <usize>index * STATE.TRIE_EDGE_BYTES;
    if (load<u32>(edge) != node || load<u32>(edge, 8) != (length as u32)) continue;
    if (memory.compare(S + <usize>load<u32>(edge, 4), text, length) != 0) continue;
    keyEnd.node = load<u32>(edge, 12);
    keyEnd.pick = load<i32>(edge, 16);
    return;
  }
}

function isRepeated(frame: usize, hashes: usize, hash: u32): bool {
  const base: usize = load<u32>(frame, F_HASHES);
  if (hashes - base >= KEYS_MAX * 4) return true; // Too many to compare: leave the record to others.
  for (let other = base; other < hashes; other += 4) if (load<u32>(other) == hash) return true;
  return false;
}

// @ts-ignore: decorator
@inline
function sameBytes(left: usize, right: usize, length: usize): bool {
  const first = i8x16.bitmask(i8x16.eq(v128.load(left), v128.load(right)));
  if (length <= 16) return (first | (-1 << (length as i32))) == -1;
  if (first != 0xffff) return false;
  const second = i8x16.bitmask(i8x16.eq(v128.load(left, 16), v128.load(right, 16)));
  if (length <= 32) return (second | (-1 << ((length - 16) as i32))) == -1;
  if (second != 0xffff) return false;
  const third = i8x16.bitmask(i8x16.eq(v128.load(left, 32), v128.load(right, 32)));
  return (third | (-1 << ((length - 32) as i32))) == -1;
}

/** Equal keys have equal hashes; unequal ones with equal hashes only cost the fast path. */
function hashOf(text: usize, length: usize): u32 {
  let hash: u32 = 0x811c9dc5 ^ (length as u32);
  for (let index: usize = 0; index < length; index += 1) hash = (hash ^ (load<u8>(text + index) as u32)) * 0x01000193;
  return hash ^ (hash >> 15);
}

/** `__proto__` */
function isProto(text: usize, length: usize): bool {
  return length == 9 && load<u64>(text) == 0x5f6f746f72705f5f && load<u8>(text, 8) == 0x5f;
}
