/** A line becomes one string of exactly its bytes, or is refused where it stops being UTF-8. */
import * as fc from 'fast-check';
import { isUtf8 } from 'node:buffer';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../../src/api/reject-reasons.ts';
import { LineEncoder } from '../../../src/codec/line-encoder.ts';
import { unpackValue } from '../../../src/codec/msgpack.ts';
import { ENCODE_FULL, ENCODE_REJECT } from '../../../src/codec/record-encoder.ts';
import { utf8Fault } from '../../../src/codec/utf8.ts';

const LinesSuite = suite('lines');

for (const length of [0, 31, 32, 255, 256, 65_535, 65_536]) {
  LinesSuite(`encodes ${length} bytes in the smallest form`, () => {
    const input = Buffer.alloc(length, 'x');
    const output = new Uint8Array(length + 8);
    const encoder = new LineEncoder([['a'], []]);
    const end = encoder.encode(input, 0, length, output, 1, output.length);
    assert.is(end - 1 - length, length < 32 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5);
    assert.is(unpackValue(output.slice(1, end)), 'x'.repeat(length));
    assert.equal([...encoder.pickStart, ...encoder.pickEnd], [-1, 1, -1, end]);
    assert.is(encoder.encode(input, 0, length, output, 1, end - 1), ENCODE_FULL);
  });
}

LinesSuite('refuses the byte that is not UTF-8', () => {
  const encoder = new LineEncoder([]);
  assert.is(encoder.encode(Buffer.from('aé\xff', 'latin1'), 0, 3, new Uint8Array(20), 0, 20), ENCODE_REJECT);
  assert.equal([reasonOf(encoder.reason), encoder.errorAt], ['invalid_utf8', 1]);
});

LinesSuite('agrees with Node on what is UTF-8, and the bytes before a fault are', () => {
  const byte = fc.oneof(
    fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
    fc.nat({ max: 255 }),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 8 }), (values) => {
      const bytes = Uint8Array.from(values);
      const fault = utf8Fault(bytes, 0, bytes.length);
      assert.is(fault < 0, isUtf8(bytes));
      if (fault >= 0) assert.ok(isUtf8(bytes.subarray(0, fault)));
    }),
    { numRuns: 20_000 },
  );
});

LinesSuite.run();
