/** The transcoder gives what JSON.parse and msgpackr give, for any value however it is written down. */
import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import { check, transcode } from './json-rig.ts';

const JsonTranscoderSuite = suite('JsonTranscoder');
const bytes = (text: string): Uint8Array => Buffer.from(text);
const space = fc.constantFrom('', '', '', ' ', '\n', '\t', ' \r\n  ');

const hex = (unit: number, upper: boolean): string => {
  const digits = unit.toString(16).padStart(4, '0');
  return `\\u${upper ? digits.toUpperCase() : digits}`;
};
/** A character as itself, or as escapes. */
const character = fc
  .tuple(
    fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom('a', 'é', '\n', '"', '\\', '/', '😀', '\0')),
    fc.nat(3),
  )
  .map(([char, way]) => {
    if (way < 2) return Array.from({ length: char.length }, (_, at) => hex(char.charCodeAt(at), way === 1)).join('');
    return char === '/' && way === 2 ? '\\/' : JSON.stringify(char).slice(1, -1);
  });
const quoted = fc.array(character, { maxLength: 40 }).map((parts) => `"${parts.join('')}"`);
const longQuoted = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 5 }), fc.nat(300))
  .map(([text, times]) => JSON.stringify(text.repeat(times)));
const keyNames = ['a', 'b', 'c', '0', '1', '10', 'é', 'a b', '', '__proto', 'key'];
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...keyNames.map((name) => JSON.stringify(name)), '"\\u0061"', '"\\u00e9"', '"\\u0030"') },
  { weight: 1, arbitrary: quoted },
  { weight: 1, arbitrary: fc.constantFrom('"__proto__"', '"\\u005f_proto__"') },
);
const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt(-(1n << 64n), 1n << 65n).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom('-0', '0', '-0.0', '1.0', '1e3', '1E-2', '12.5', '0e5'),
);
const { text: valueText } = fc.letrec<{ text: string; list: string; map: string }>((tie) => ({
  text: fc
    .tuple(
      space,
      fc.oneof({ maxDepth: 4 }, number, fc.constantFrom('true', 'false', 'null'), quoted, longQuoted, tie('list'), tie('map')),
      space,
    )
    .map((parts) => parts.join('')),
  list: fc
    .oneof(fc.array(tie('text'), { maxLength: 40 }), fc.array(tie('text'), { maxLength: 3 }))
    .map((items) => `[${items.length > 0 ? items.join(',') : ' '}]`),
  map: fc
    .oneof(
      fc.array(fc.tuple(space, key, space, tie('text')), { maxLength: 40 }),
      fc.array(fc.tuple(space, key, space, tie('text')), { maxLength: 4 }),
    )
    .map((entries) => `{${entries.map(([before, name, after, value]) => `${before}${name}${after}:${value}`).join(',')}}`),
}));
const path = fc.array(fc.constantFrom(...keyNames, '2', '01'), { maxLength: 3 });
const deepMap = fc
  .tuple(fc.array(fc.array(fc.tuple(key, valueText), { maxLength: 20 }), { minLength: 1, maxLength: 4 }), fc.constantFrom('"a"', '"b"'))
  .map(([levels, name]) =>
    levels.reduce((inner, entries) => `{${[...entries.map(([own, value]) => `${own}:${value}`), `${name}:${inner}`].join(',')}}`, '1'),
  );

JsonTranscoderSuite('encodes any value, and picks from it, as the oracle does', () => {
  fc.assert(
    fc.property(fc.oneof(valueText, deepMap), fc.array(path, { maxLength: 5 }), (text, paths) => void check(bytes(text), paths)),
    { numRuns: 600 },
  );
});

JsonTranscoderSuite('keeps nothing of a record for the next one', () => {
  const reused = new JsonTranscoder([]);
  fc.assert(
    fc.property(fc.oneof(valueText, fc.string(), fc.constant('{"a":1,"a":{')), (text) => void check(bytes(text), [], reused)),
    { numRuns: 600 },
  );
});

for (const count of [0, 1, 15, 16, 17, 255, 256, 257, 65_535, 65_536])
  JsonTranscoderSuite(`writes the shortest headers for ${count} values`, () => {
    const list = `[${Array.from({ length: count }, (_, index) => index).join(',')}]`;
    const map = `{${Array.from({ length: count }, (_, index) => `"k${index}":${index}`).join(',')}}`;
    const string = `"${'x'.repeat(count)}"`;
    const mixed = `"\\n${'x'.repeat(Math.max(count - 3, 0))}é"`;
    for (const text of [list, map, string, mixed, `{"a":${list},"b":${map}}`]) check(bytes(text), [['b', `k${count - 1}`], ['a', '0'], ['b']]); // prettier-ignore
  });

const depths = [
  { depth: 511, refusal: '' },
  { depth: 512, refusal: '' },
  { depth: 513, refusal: 'too_deep' },
];
for (const { depth, refusal } of depths)
  JsonTranscoderSuite(`answers a depth of ${depth} with '${refusal}'`, () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      // prettier-ignore
      const text = `${open.repeat(depth)}1${close.repeat(depth)}`;
      const run = transcode(new JsonTranscoder([]), bytes(text));
      assert.is(run.refusal, refusal && `${refusal}@${open.length * 512}`);
    }
  });

JsonTranscoderSuite('refuses ten million opening brackets at once', () => {
  const { refusal } = transcode(new JsonTranscoder([]), Buffer.alloc(10_000_000, '['), 1_000);
  assert.is(refusal, 'too_deep@512');
});

JsonTranscoderSuite('takes a smaller depth', () => {
  assert.is(transcode(new JsonTranscoder([], { depthMax: 1 }), bytes('[[]]')).refusal, 'too_deep@1');
  assert.is(transcode(new JsonTranscoder([], { depthMax: 1 }), bytes('[1]')).refusal, '');
});

JsonTranscoderSuite('finds duplicates among a hundred thousand keys', () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `"key${index}":${index}`);
  const { bytes: plain } = transcode(new JsonTranscoder([]), bytes(`{${keys.join(',')}}`));
  assert.is(Object.keys(unpack(plain) as object).length, 100_000);
  const twice = keys.map((entry) => entry.replace(/:.*/, ':true'));
  const transcoder = new JsonTranscoder([['key77777'], ['key0']]);
  const run = transcode(transcoder, bytes(`{${[...keys, ...twice].join(',')}}`));
  assert.equal([...run.bytes.subarray(0, 5)], [0xdf, 0, 1, 0x86, 0xa0]); // not one entry more
  const value = unpack(run.bytes) as Record<string, unknown>;
  assert.is(Object.keys(value).length, 100_000);
  assert.ok(Object.values(value).every((entry) => entry === true));
  assert.is(transcoder.pickEnd[0]! - transcoder.pickStart[0]!, 1);
});

const fields = (count: number, value: string): string => Array.from({ length: count }, (_, index) => `"k${index}":${value}`).join(',');
const list20 = `[${'0,'.repeat(19)}0]`;
const repeated = [
  `{${fields(40, '1')},${fields(40, '2')}}`,
  `[{${fields(40, '1')}},{${fields(40, '2')}},{${fields(40, '3')}}]`,
  `{${fields(20, `{${fields(20, '1')}}`)},"k3":{${fields(18, '2')}}}`,
  `{${fields(400, `{${fields(17, '1')},"k0":0}`)}}`,
  `{"k0":${list20},"k0":1}`,
  `{"k0":${list20},"k1":${list20},"k0":${list20}}`,
  `{"k0":{"k0":${list20},"k0":${list20}},"k1":[${list20},{"k0":1,"k0":${list20}}],"k0":{"k0":1,"k0":${list20}}}`,
  `[{"k0":{"k0":1},"k0":2},${list20}]`,
  `{"k0":{"k1":1},"k1":${list20},"k0":{"k2":3},"k0":${list20}}`,
];
for (const text of repeated)
  JsonTranscoderSuite(`keeps the last of each key of ${text.slice(0, 50)}`, () => {
    check(bytes(text), [['k0'], ['k0', 'k1'], ['k0', 'k0'], ['k1'], ['0', 'k0'], ['0', 'k0', 'k0'], ['k1', '1', 'k0'], ['k39'], ['k3', 'k17']]); // prettier-ignore
  });

JsonTranscoderSuite('moves long headers once, however deep they nest', () => {
  const filler = ',0'.repeat(20);
  const text = `${'['.repeat(500)}"${'x'.repeat(2_000_000)}"${`${filler}]`.repeat(500)}`;
  const path500 = Array.from({ length: 500 }, () => '0');
  check(bytes(text), [path500, path500.slice(1), ['20']]);
});

JsonTranscoderSuite('works within one shared memory', () => {
  const shared = new SharedArrayBuffer(4_096);
  const text = bytes('{"id":"é\\n","list":[1,2.5,"x"],"a":1,"a":2}');
  const input = new Uint8Array(shared, 0, 1_024);
  const output = new Uint8Array(shared, 1_024);
  input.set(text, 100);
  const end = new JsonTranscoder([]).encode(input, 100, 100 + text.length, output, 7, 500);
  assert.equal(unpack(Buffer.from(output.slice(7, end))), { id: 'é\n', list: [1, 2.5, 'x'], a: 2 });
});

JsonTranscoderSuite.run();
