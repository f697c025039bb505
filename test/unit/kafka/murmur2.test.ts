/** The partitioner is Java's: the values of Kafka's own test of murmur2, and a reference in wide integers for all other bytes. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { murmur2, partitionOf } from '../../../src/processors/kafka/murmur2.ts';

const MurmurSuite = suite('murmur2');

// From UtilsTest.testMurmur2 of Apache Kafka.
const published = [
  { key: '21', hash: -973932308 },
  { key: 'foobar', hash: -790332482 },
  { key: 'a-little-bit-long-string', hash: -985981536 },
  { key: 'a-little-bit-longer-string', hash: -1486304829 },
  { key: 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', hash: -58897971 },
  { key: 'abc', hash: 479470107 },
];
for (const { key, hash } of published)
  MurmurSuite(`gives the published value of '${key}'`, () => assert.is(murmur2(Buffer.from(key)), hash));

const M = 0x5bd1e995n;
const low = (value: bigint): bigint => BigInt.asUintN(32, value);

/** The algorithm as it is described, in arithmetic that cannot overflow. */
function reference(bytes: Uint8Array): number {
  let hash = low(0x9747b28cn ^ BigInt(bytes.length));
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    let word = BigInt(bytes[at]! + bytes[at + 1]! * 2 ** 8 + bytes[at + 2]! * 2 ** 16 + bytes[at + 3]! * 2 ** 24);
    word = low(word * M);
    word = low((word ^ (word >> 24n)) * M);
    hash = low(hash * M) ^ word;
  }
  let rest = 0n;
  for (let index = bytes.length - 1; index >= at; index--) rest = (rest << 8n) | BigInt(bytes[index]!);
  if (at < bytes.length) hash = low((hash ^ rest) * M);
  hash = low((hash ^ (hash >> 13n)) * M);
  return Number(BigInt.asIntN(32, hash ^ (hash >> 15n)));
}

MurmurSuite('agrees with the reference on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => assert.is(murmur2(bytes), reference(bytes))),
    { numRuns: 2_000 },
  );
});

MurmurSuite('stays within the partitions', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16 }), fc.integer({ min: 1, max: 1_000 }), (key, partitions) => {
      const partition = partitionOf(key, partitions);
      assert.ok(partition >= 0 && partition < partitions);
    }),
  );
});

MurmurSuite.run();
