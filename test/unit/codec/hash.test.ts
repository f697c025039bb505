/** The hash is SipHash-1-3-128: by a published vector, and by a BigInt reference that the published vectors of 2-4 confirm. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Hash128, hash128, hashHex, PUBLIC_KEY } from '../../../src/codec/hash.ts';

const HashSuite = suite('hash128');
const KEY = Uint32Array.from([0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c]); // bytes 0 to 15, as in all vectors
const MASK = (1n << 64n) - 1n;

function reference(bytes: Uint8Array, key: Uint32Array, [inner, outer]: readonly [number, number]): string {
  const rotated = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (64n - by))) & MASK;
  const [k0, k1] = new BigUint64Array(key.slice().buffer) as unknown as [bigint, bigint];
  let [v0, v1, v2, v3] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn ^ 0xeen, k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round += 1) {
      v0 = (v0 + v1) & MASK;
      v1 = rotated(v1, 13n) ^ v0;
      v0 = rotated(v0, 32n);
      v2 = (v2 + v3) & MASK;
      v3 = rotated(v3, 16n) ^ v2;
      v0 = (v0 + v3) & MASK;
      v3 = rotated(v3, 21n) ^ v0;
      v2 = (v2 + v1) & MASK;
      v1 = rotated(v1, 17n) ^ v2;
      v2 = rotated(v2, 32n);
    }
  };
  const padded = Buffer.alloc((bytes.length & -8) + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  for (let at = 0; at < padded.length; at += 8) {
    v3 ^= padded.readBigUInt64LE(at);
    rounds(inner);
    v0 ^= padded.readBigUInt64LE(at);
  }
  const out = Buffer.alloc(16);
  v2 ^= 0xeen;
  rounds(outer);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 0);
  v1 ^= 0xddn;
  rounds(outer);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 8);
  return out.toString('hex');
}

function hex(words: Uint32Array): string {
  const text = Buffer.alloc(34, '.');
  assert.is(hashHex(words, text, 1), 33);
  assert.is(text[0], text[33]); // nothing written beside
  return text.toString('latin1', 1, 33);
}

function hashed(bytes: Uint8Array, key: Uint32Array): string {
  const out = new Uint32Array(4);
  const framed = Buffer.concat([Buffer.from('<<<'), bytes, Buffer.from('>')]);
  hash128(framed, 3, 3 + bytes.length, key, out);
  return hex(out);
}

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);
// vectors_sip128 of the authors' reference code (veorq/SipHash, vectors.h): the first, and 1 byte.
const published24 = [
  { length: 0, hash: 'a3817f04ba25a8e66df67214c7550293' },
  { length: 1, hash: 'da87c1d86b99af44347659119b22fc45' },
  { length: 2, hash: '8177228da4a45dc7fca38bdef60affe4' },
];
for (const { length, hash } of published24)
  HashSuite(`has a reference that gives the published 2-4 vector of ${length} bytes`, () => {
    assert.is(reference(counting(length), KEY, [2, 4]), hash);
  });

HashSuite('gives the 1-3 vector published with the Rust crate siphasher', () => {
  assert.is(hashed(new Uint8Array(0), KEY), 'e77ebcb22788a5befd62db6add303001');
});

HashSuite('gives what the reference gives, for every length', () => {
  for (let length = 0; length < 300; length += 1) assert.is(hashed(counting(length), KEY), reference(counting(length), KEY, [1, 3]));
});

const words = fc.uint32Array({ minLength: 4, maxLength: 4 });
HashSuite('gives what the reference gives, for any key and bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), words, (bytes, key) => assert.is(hashed(bytes, key), reference(bytes, key, [1, 3]))),
    { numRuns: 1_000 },
  );
});

HashSuite('gives for ranges in order what it gives for all at once', () => {
  const hash = new Hash128();
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }), words, (parts, key) => {
      hash.reset(key);
      for (const part of parts) hash.update(part, 0, part.length);
      const out = new Uint32Array(4);
      hash.digest(out);
      assert.is(hex(out), hashed(Buffer.concat(parts), key));
    }),
    { numRuns: 1_000 },
  );
});

HashSuite('has a public key of zeros that stays as it is', () => {
  assert.equal([...PUBLIC_KEY], [0, 0, 0, 0]);
  assert.is(hashed(Buffer.from('millrace'), PUBLIC_KEY), reference(Buffer.from('millrace'), new Uint32Array(4), [1, 3]));
});

HashSuite.run();
