/** SipHash-1-3-128, as src/codec/hash.ts: the same bits, in 64-bit arithmetic. */
import { wordAt } from './scan';

let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

// @ts-ignore: decorator
@inline
function round(): void {
  v0 += v1;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v0 = rotl<u64>(v0, 32);
  v2 += v3;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v2 = rotl<u64>(v2, 32);
}

function begin(key: usize): void {
  const k0 = load<u64>(key);
  const k1 = load<u64>(key, 8);
  v0 = k0 ^ 0x736f6d6570736575;
  v1 = k1 ^ 0x646f72616e646f6d ^ 0xee;
  v2 = k0 ^ 0x6c7967656e657261;
  v3 = k1 ^ 0x7465646279746573;
}

// @ts-ignore: decorator
@inline
function absorb(block: u64): void {
  v3 ^= block;
  round();
  v0 ^= block;
}

function finish(tail: u64, out: usize): void {
  absorb(tail);
  v2 ^= 0xee;
  round();
  round();
  round();
  store<u64>(out, v0 ^ v1 ^ v2 ^ v3);
  v1 ^= 0xdd;
  round();
  round();
  round();
  store<u64>(out, v0 ^ v1 ^ v2 ^ v3, 8);
}

/** The last bytes of a text, its length in the top byte. Reads up to 7 bytes past the end, which the ring has. */
// @ts-ignore: decorator
@inline
function tailOf(at: usize, end: usize, length: usize): u64 {
  return (at == end ? 0 : wordAt(at, end)) | ((length as u64) << 56);
}

/** 16 bytes at `out`: the keyed hash of [start, end). `key` has 16 bytes. In locals, unlike the hash of a batch: globals live in memory. */
export function fingerprint(key: usize, start: usize, end: usize, out: usize): void {
  const k0 = load<u64>(key);
  const k1 = load<u64>(key, 8);
  let a = k0 ^ 0x736f6d6570736575;
  let b = k1 ^ 0x646f72616e646f6d ^ 0xee;
  let c = k0 ^ 0x6c7967656e657261;
  let d = k1 ^ 0x7465646279746573;
  // Whole words with one round each; the tail with one, and three behind it; three more for the second half.
  let at = start;
  let rounds = 1;
  let block: u64 = 0;
  let last = false;
  while (true) {
    if (rounds == 1) {
      last = at + 8 > end;
      block = last ? tailOf(at, end, end - start) : load<u64>(at);
      at += 8;
      d ^= block;
    }
    a += b;
    b = rotl<u64>(b, 13) ^ a;
    a = rotl<u64>(a, 32);
    c += d;
    d = rotl<u64>(d, 16) ^ c;
    a += d;
    d = rotl<u64>(d, 21) ^ a;
    c += b;
    b = rotl<u64>(b, 17) ^ c;
    c = rotl<u64>(c, 32);
    if (rounds == 1) {
      a ^= block;
      if (!last) continue;
      c ^= 0xee;
    } else if (rounds == 4) {
      store<u64>(out, a ^ b ^ c ^ d);
      b ^= 0xdd;
    } else if (rounds == 7) {
      store<u64>(out, a ^ b ^ c ^ d, 8);
      return;
    }
    rounds += 1;
  }
}

let pending: u64 = 0;
let held: u64 = 0; // Bytes in `pending`.
let total: usize = 0;

function update(start: usize, end: usize): void {
  let at = start;
  const shift = held << 3;
  total += end - start;
  for (; at + 8 <= end; at += 8) {
    const word = load<u64>(at);
    absorb(pending | (word << shift));
    pending = held == 0 ? 0 : word >> (64 - shift);
  }
  const rest = (end - at) as u64;
  if (rest == 0) return;
  const word = wordAt(at, end);
  pending |= word << shift;
  held += rest;
  if (held < 8) return;
  absorb(pending);
  held -= 8;
  pending = held == 0 ? 0 : word >> (64 - shift);
}

/**
 * Identity of a batch: subject, count, and each event's id behind its length, along the list of event rows (Int32 indexes, -1 = end) from `first` to before
 * `after`. `scratch` has 8 bytes, and 16 zero bytes behind them for the key; the hash goes to `out`.
 */
export function hashBatch(subject: usize, subjectEnd: usize, count: u32, first: i32, after: i32, scratch: usize, out: usize): void {
  begin(scratch + 8);
  pending = 0;
  held = 0;
  total = 0;
  update(subject, subjectEnd);
  store<u32>(scratch, count);
  update(scratch, scratch + 4);
  for (let row = first; row != after && row >= 0; row = load<i32>(<usize>row << 2, 36)) {
    const id: usize = load<u32>(<usize>row << 2, 24);
    const end: usize = load<u32>(<usize>row << 2, 28);
    store<u32>(scratch, (end - id) as u32);
    update(scratch, scratch + 4);
    update(id, end);
  }
  finish(pending | ((total as u64) << 56), out);
}
