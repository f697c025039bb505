/**
 * SipHash-1-3-128 (Aumasson and Bernstein; 128-bit output as in the authors' reference code): whoever does not know the key
 * cannot build collisions. All in 32-bit integers, no allocation. With a public key it is a checksum for honest data only.
 */

/** 4 words: the 16 key bytes, little-endian. Identities that outlive a process are hashed with this one. */
export const PUBLIC_KEY: Uint32Array = new Uint32Array(4);

const BLOCK = 8;
const FINAL_ROUNDS = 3;
/** A block of zeros changes nothing but by the round it runs: these are the rounds of the finalization. */
const ZEROS: Uint8Array = new Uint8Array(FINAL_ROUNDS * BLOCK);
const HEX: Uint8Array = new TextEncoder().encode('0123456789abcdef');

/** Hashes several ranges in order, as if they were one, without copying them together. */
export class Hash128 {
  /** v0 to v3, low word first. */
  readonly #state: Int32Array = new Int32Array(8);
  /** Bytes that do not fill a block yet. */
  readonly #tail: Uint8Array = new Uint8Array(BLOCK);
  #bytes = 0;

  reset(key: Uint32Array): void {
    const state = this.#state;
    state[0] = key[0]! ^ 0x7073_6575;
    state[1] = key[1]! ^ 0x736f_6d65;
    state[2] = key[2]! ^ 0x6e64_6f6d ^ 0xee; // 0xee: for 128 bits of output
    state[3] = key[3]! ^ 0x646f_7261;
    state[4] = key[0]! ^ 0x6e65_7261;
    state[5] = key[1]! ^ 0x6c79_6765;
    state[6] = key[2]! ^ 0x7974_6573;
    state[7] = key[3]! ^ 0x7465_6462;
    this.#bytes = 0;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    const tail = this.#tail;
    let held = this.#bytes & 7;
    let at = start;
    this.#bytes += end - start;
    if (held > 0) {
      while (held < BLOCK && at < end) tail[held++] = bytes[at++]!;
      if (held < BLOCK) return;
      absorb(this.#state, tail, 0, BLOCK);
    }
    const blocksEnd = at + ((end - at) & -BLOCK);
    if (blocksEnd > at) absorb(this.#state, bytes, at, blocksEnd);
    held = 0;
    for (at = blocksEnd; at < end; at += 1) tail[held++] = bytes[at]!;
  }

  /** 4 words: the 16 bytes of the hash, little-endian. `reset` comes before the next use. */
  digest(out: Uint32Array): void {
    const state = this.#state;
    const tail = this.#tail;
    for (let at = this.#bytes & 7; at < 7; at += 1) tail[at] = 0;
    tail[7] = this.#bytes;
    absorb(state, tail, 0, BLOCK);
    state[4]! ^= 0xee;
    absorb(state, ZEROS, 0, ZEROS.length);
    out[0] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!;
    out[1] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!;
    state[2]! ^= 0xdd;
    absorb(state, ZEROS, 0, ZEROS.length);
    out[2] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!;
    out[3] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!;
  }
}

const once = new Hash128();

/** The hash of one range: 4 words into `out`, the 16 bytes little-endian. */
// oxlint-disable-next-line max-params -- hot path: an options object per id would allocate
export function hash128(bytes: Uint8Array, start: number, end: number, key: Uint32Array, out: Uint32Array): void {
  once.reset(key);
  once.update(bytes, start, end);
  once.digest(out);
}

/** 32 lower-case hex characters, in the order of the hash's bytes; returns the offset after them. */
export function hashHex(words: Uint32Array, output: Uint8Array, at: number): number {
  for (let index = 0; index < 16; index += 1) {
    const byte = words[index >> 2]! >>> (8 * (index & 3));
    output[at + 2 * index] = HEX[(byte >>> 4) & 15]!;
    output[at + 2 * index + 1] = HEX[byte & 15]!;
  }
  return at + 32;
}

/** One round per block of 8 bytes; [start, end) holds whole blocks. Names: a, b, c, d are v0 to v3, 0 and 1 their low and high words. */
function absorb(state: Int32Array, bytes: Uint8Array, start: number, end: number): void {
  let a0 = state[0]!;
  let a1 = state[1]!;
  let b0 = state[2]!;
  let b1 = state[3]!;
  let c0 = state[4]!;
  let c1 = state[5]!;
  let d0 = state[6]!;
  let d1 = state[7]!;
  for (let at = start; at < end; at += BLOCK) {
    const m0 = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const m1 = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    d0 ^= m0;
    d1 ^= m1;
    // v0 += v1, v1 = rotl(v1, 13) ^ v0, v0 = rotl(v0, 32)
    const ab = (a0 + b0) | 0;
    const abHigh = (a1 + b1 + carry(a0, b0, ab)) | 0;
    let swap = ((b0 << 13) | (b1 >>> 19)) ^ ab;
    b1 = ((b1 << 13) | (b0 >>> 19)) ^ abHigh;
    b0 = swap;
    // v2 += v3, v3 = rotl(v3, 16) ^ v2
    const cd = (c0 + d0) | 0;
    c1 = (c1 + d1 + carry(c0, d0, cd)) | 0;
    c0 = cd;
    swap = ((d0 << 16) | (d1 >>> 16)) ^ c0;
    d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1;
    d0 = swap;
    // v0 += v3, v3 = rotl(v3, 21) ^ v0; the halves of v0 are still swapped
    a0 = (abHigh + d0) | 0;
    a1 = (ab + d1 + carry(abHigh, d0, a0)) | 0;
    swap = ((d0 << 21) | (d1 >>> 11)) ^ a0;
    d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1;
    d0 = swap;
    // v2 += v1, v1 = rotl(v1, 17) ^ v2, v2 = rotl(v2, 32)
    const cb = (c0 + b0) | 0;
    const cbHigh = (c1 + b1 + carry(c0, b0, cb)) | 0;
    swap = ((b0 << 17) | (b1 >>> 15)) ^ cb;
    b1 = ((b1 << 17) | (b0 >>> 15)) ^ cbHigh;
    b0 = swap;
    c0 = cbHigh;
    c1 = cb;
    a0 ^= m0;
    a1 ^= m1;
  }
  state[0] = a0;
  state[1] = a1;
  state[2] = b0;
  state[3] = b1;
  state[4] = c0;
  state[5] = c1;
  state[6] = d0;
  state[7] = d1;
}

/** The carry of an addition of two words: a comparison would be a branch on random bits. */
function carry(left: number, right: number, sum: number): number {
  return ((left & right) | ((left | right) & ~sum)) >>> 31;
}
