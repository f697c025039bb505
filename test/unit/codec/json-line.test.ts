/** One line for every event; what JSON cannot say is written in a way that can be seen. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toJsonLine } from '../../../src/codec/ndjson-line.ts';

const JsonLineSuite = suite('toJsonLine');

const circular: unknown[] = [];
circular.push(circular);
const cases: readonly (readonly [string, unknown, string])[] = [
  ['exact integers', { n: 2n ** 64n - 1n }, '{"n":18446744073709551615}'],
  ['bytes as base64', [Uint8Array.of(1, 2, 3)], '[{"$base64":"AQID"}]'],
  ['a Buffer as base64', Buffer.from('a'), '{"$base64":"YQ=="}'],
  ['dates as ISO text', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['an invalid date as null', new Date(Number.NaN), 'null'],
  [
    'a Map as object',
    new Map<unknown, unknown>([
      ['a', 1n],
      [2, undefined],
    ]),
    '{"a":1}',
  ],
  ['NaN and Infinity as null', [Number.NaN, Infinity], '[null,null]'],
  ['nothing as null', undefined, 'null'],
  ['line breaks escaped', 'a\nb\u2028', '"a\\nb\u2028"'],
];
for (const [name, value, want] of cases) JsonLineSuite(`writes ${name}`, () => assert.is(toJsonLine(value), want));

JsonLineSuite('writes everything else as JSON.stringify', () => {
  fc.assert(
    fc.property(
      fc.anything({ maxDepth: 4, withDate: true, withSparseArray: true, withNullPrototype: true, withBoxedValues: false }),
      (value) => assert.is(toJsonLine(value), JSON.stringify(value) ?? 'null'),
    ),
  );
  assert.not.match(toJsonLine({ a: 'x\r\ny' }), /[\r\n]/);
});
JsonLineSuite('refuses a circle', () => assert.throws(() => toJsonLine(circular), /contains itself/));

JsonLineSuite.run();
