/** Scalars become the text that JSON has for them, 64-bit integers with every digit; nothing else becomes text. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packEvent } from '../../../src/codec/msgpack.ts';
import { scalarText } from '../../../src/codec/scalar-text.ts';

const ScalarSuite = suite('scalarText');

function textOf(bytes: Uint8Array, room = 100): string | null {
  const output = new Uint8Array(room + 2).fill(0x23);
  const end = scalarText(bytes, 0, bytes.length, output, 1, 1 + room);
  if (end < 0) return null;
  assert.is(output[end], 0x23, 'nothing behind the text is written');
  return Buffer.from(output.subarray(1, end)).toString('utf8');
}

const wide = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(
    2n ** 53n,
    2n ** 53n - 1n,
    -(2n ** 53n),
    -(2n ** 63n),
    2n ** 64n - 1n,
    2n ** 63n,
    0n,
    -1n,
    10n ** 19n,
    10n ** 16n,
    -(2n ** 32n),
  ),
);
ScalarSuite('integers have every digit', () => {
  fc.assert(
    fc.property(wide, (value) => assert.is(textOf(packEvent(value)), value.toString())),
    { numRuns: 2_000 },
  );
});
ScalarSuite('integers in any width have the same text', () => {
  for (const [hex, text] of [
    ['d0ff', '-1'],
    ['d07f', '127'],
    ['d1ff00', '-256'],
    ['d280000000', '-2147483648'],
    ['d300000000ffffffff', '4294967295'],
    ['d3ffffffff00000000', '-4294967296'],
    ['cc05', '5'],
    ['cd0100', '256'],
    ['ceffffffff', '4294967295'],
    ['cf0000000000000000', '0'],
    ['e0', '-32'],
  ] as const) {
    assert.is(textOf(Buffer.from(hex, 'hex')), text);
  }
});
ScalarSuite('floats read as JavaScript prints them', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
      (value) => assert.is(textOf(packEvent(value)), String(value)),
    ),
  );
  assert.is(textOf(Buffer.from('ca3fc00000', 'hex')), '1.5');
});
ScalarSuite('text is itself, booleans have their names', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (value) => assert.is(textOf(packEvent(value), 1_000), value)));
  assert.equal([textOf(packEvent(true)), textOf(packEvent(false))], ['true', 'false']);
});
for (const [name, value] of [
  ['null', null],
  ['a map', { a: 1 }],
  ['an array', [1]],
  ['bytes', new Uint8Array(2)],
  ['a date', new Date(0)],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
] as const) {
  ScalarSuite(`${name} has no text`, () => assert.is(textOf(packEvent(value)), null));
}
ScalarSuite('what does not fit is not written', () => {
  for (const value of ['abcd', 1_234, -123, 2n ** 64n - 1n, 1.25, true]) assert.is(textOf(packEvent(value), 3), null);
  assert.is(textOf(packEvent(123), 3), '123');
});
ScalarSuite('any bytes give text or -1', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => void textOf(bytes)),
    { numRuns: 2_000 },
  );
});

ScalarSuite.run();
