/**
 * Keys, by speculation: records of one stream repeat theirs, so each key is first compared with those seen behind the same keys before, and its msgpack copied.
 * What is remembered is a tree; a path in it is the beginning of a record that was read without a repeated key, so keys that all match are distinct as those were.
 */
import { F_HASHES, F_NODE, F_SHAPE, S_CHILD, S_HASH, S_IN, S_IN_BYTES, S_KEY_BYTES_MAX, S_NODE, S_OUT, S_OUT_BYTES, S_PARENT_NODE, S_PARENT_SHAPE, S_PICK, S_SIBLING, STATE } from './state';
import { NONE, skipSpace } from './scan';
import { resultOut, writeString } from './string';

const KEYS_MAX: usize = 128; // Of one object: each new key is compared with all.
const SIBLINGS_MAX: i32 = 8; // Looked at, of the keys seen at one place.

/** What the last key left: the end of the output, the node of its value, its pick, and where the keys seen behind it hang. */
export namespace keyEnd {
  export let link: usize = 0;
  export let out: usize = 0;
  export let node: u32 = 0;
  export let pick: i32 = -1;
}

/** A key that was seen behind the same keys: returns where its value begins, or 0. */
// @ts-ignore: decorator
@inline
export function matchKey(at: usize, out: usize, link: usize, frame: usize, hashes: usize): usize {
  let entry: usize = load<u32>(link);
  if (entry == 0) return 0;
  if (!isEntry(entry, at, frame)) {
    entry = sibling(entry, at, frame);
    if (entry == 0) return 0;
  }
  store<u32>(hashes, load<u32>(entry, S_HASH));
  v128.store(out, v128.load(entry, S_OUT));
  const length: usize = load<u32>(entry, S_OUT_BYTES);
  if (length > 16) {
    v128.store(out, v128.load(entry, S_OUT + 16), 16);
    v128.store(out, v128.load(entry, S_OUT + 32), 32);
  }
  keyEnd.out = out + length;
  keyEnd.link = entry + S_CHILD;
  keyEnd.node = load<u32>(entry, S_NODE);
  keyEnd.pick = load<i32>(entry, S_PICK);
  return at + <usize>load<u32>(entry, S_IN_BYTES);
}

// @ts-ignore: decorator
@inline
function isEntry(entry: usize, at: usize, frame: usize): bool {
  return sameBytes(at, entry + S_IN, load<u32>(entry, S_IN_BYTES)) && load<u64>(entry, S_PARENT_SHAPE) == load<u64>(frame, F_SHAPE);
}

function sibling(first: usize, at: usize, frame: usize): usize {
  let entry: usize = first;
  for (let count: i32 = 1; count < SIBLINGS_MAX; count += 1) {
    entry = load<u32>(entry, S_SIBLING);
    if (entry == 0 || isEntry(entry, at, frame)) return entry;
  }
  return 0;
}

/** Any other key: read, compared with its siblings, and learned. Returns where its value begins, or 0. */
export function readKey(S: usize, at: usize, out: usize, link: usize, frame: usize, hashes: usize, inEnd: usize): usize {
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
  store<u32>(hashes, hash);
  keyEnd.out = resultOut;
  resolve(S, load<u32>(frame, F_NODE), text, length);
  learn(S, link, frame, at, value - at, out, hash);
  return value;
}

/** Keeps the key for the next record. Behind one that is not kept nothing is: what is remembered has no gaps. */
function learn(S: usize, link: usize, frame: usize, at: usize, inBytes: usize, out: usize, hash: u32): void {
  const shapes = load<u32>(S, STATE.SHAPES);
  keyEnd.link = S + STATE.NO_LINK;
  if (link == keyEnd.link || inBytes > S_KEY_BYTES_MAX || shapes == STATE.SHAPES_MAX) return;
  const entry = S + STATE.SHAPE + <usize>shapes * STATE.SHAPE_BYTES;
  store<u32>(S, shapes + 1, STATE.SHAPES);
  for (let part: usize = 0; part < S_OUT - S_IN; part += 16) { // More than the key; what is behind it is never looked at.
    v128.store(entry + part, v128.load(at + part), S_IN);
    v128.store(entry + part, v128.load(out + part), S_OUT);
  }
  store<u32>(entry, inBytes as u32, S_IN_BYTES);
  store<u32>(entry, (keyEnd.out - out) as u32, S_OUT_BYTES);
  store<u64>(entry, load<u64>(frame, F_SHAPE), S_PARENT_SHAPE);
  store<u32>(entry, keyEnd.node, S_NODE);
  store<i32>(entry, keyEnd.pick, S_PICK);
  store<u32>(entry, hash, S_HASH);
  store<u32>(entry, load<u32>(link), S_SIBLING);
  store<u32>(entry, 0, S_CHILD);
  store<u32>(link, entry as u32);
  keyEnd.link = entry + S_CHILD;
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
