/** CSV rows by RFC 4180: every cell exactly, or a refusal with its place. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../../src/api/reject-reasons.ts';
import { CsvEncoder, parseCsvHeader } from '../../../src/codec/csv-encoder.ts';
import { unpackValue } from '../../../src/codec/msgpack.ts';
import { ENCODE_FULL, ENCODE_REJECT } from '../../../src/codec/record-encoder.ts';

const CsvSuite = suite('csv');
const header = ['a', 'b', ''];

const rows: readonly { readonly row: string; readonly want: readonly string[] }[] = [
  { row: '1,2,3', want: ['1', '2', '3'] },
  { row: ',,', want: ['', '', ''] },
  { row: '"",""," "', want: ['', '', ' '] },
  { row: '"a""b","x,y","line\nbreak"', want: ['a"b', 'x,y', 'line\nbreak'] },
  { row: ' é , ☃,""""', want: [' é ', ' ☃', '"'] },
];
for (const { row, want } of rows) {
  CsvSuite(`reads ${JSON.stringify(row)}`, () => {
    const input = Buffer.from(`#${row}#`);
    const output = new Uint8Array(200);
    const encoder = new CsvEncoder(header, [['b'], ['nope'], [], ['b', 'c']]);
    const end = encoder.encode(input, 1, input.length - 1, output, 3, 200);
    assert.equal(unpackValue(output.slice(3, end)), Object.fromEntries(header.map((name, index) => [name, want[index]])));
    assert.is(unpackValue(output.slice(encoder.pickStart[0], encoder.pickEnd[0])), want[1]);
    assert.equal([encoder.pickStart[1], encoder.pickStart[2], encoder.pickEnd[2], encoder.pickStart[3]], [-1, 3, end, -1]);
    for (let room = 3; room < end; room++) assert.is(encoder.encode(input, 1, input.length - 1, output, 3, room), ENCODE_FULL);
  });
}

const refusals: readonly { readonly row: string; readonly reason: string; readonly at: number }[] = [
  { row: '1,2', reason: 'invalid_csv', at: 3 },
  { row: '1,2,3,', reason: 'invalid_csv', at: 5 },
  { row: '1,2,3,4', reason: 'invalid_csv', at: 5 },
  { row: '1,b"c,3', reason: 'invalid_csv', at: 3 },
  { row: '1,"b"c,3', reason: 'invalid_csv', at: 5 },
  { row: '1,2,"c', reason: 'truncated', at: 6 },
  { row: '1,\xff,3', reason: 'invalid_utf8', at: 2 },
];
for (const { row, reason, at } of refusals) {
  CsvSuite(`refuses ${JSON.stringify(row)} at byte ${at}`, () => {
    const encoder = new CsvEncoder(header, []);
    const input = Buffer.from(row, 'latin1');
    assert.is(encoder.encode(input, 0, input.length, new Uint8Array(200), 0, 200), ENCODE_REJECT);
    assert.equal([reasonOf(encoder.reason), encoder.errorAt], [reason, at]);
  });
}

CsvSuite('any cells come back, with more columns than a short map head can say', () => {
  const cells = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(cells, (values) => {
      const names = values.map((_, index) => `c${index}`);
      const input = Buffer.from(values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(','));
      const output = new Uint8Array(input.length * 2 + 400);
      const end = new CsvEncoder(names, []).encode(input, 0, input.length, output, 0, output.length);
      assert.equal(unpackValue(output.slice(0, end)), Object.fromEntries(names.map((name, index) => [name, values[index]])));
    }),
  );
});

CsvSuite('any bytes are encoded or refused', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(0x22, 0x2c, 0x61), fc.nat({ max: 255 })), { maxLength: 20 }), (bytes) => {
      const encoder = new CsvEncoder(header, [['a']]);
      const output = new Uint8Array(200);
      const end = encoder.encode(Uint8Array.from(bytes), 0, bytes.length, output, 0, 200);
      if (end === ENCODE_REJECT) assert.ok(encoder.reason > 0 && encoder.errorAt >= 0 && encoder.errorAt <= bytes.length);
      else unpackValue(output.slice(0, end));
    }),
    { numRuns: 2_000 },
  );
});

const parse = (text: string): string[] => parseCsvHeader(Buffer.from(text), 0, Buffer.byteLength(text));
CsvSuite('reads the header row', () => {
  assert.equal(parse('\ufeffid,"a ""b"", c",é\r\n1,2,3\n'), ['id', 'a "b", c', 'é']);
  assert.equal(parse('"two\nlines",x'), ['two\nlines', 'x']);
  assert.equal(parse('a,\n'), ['a', '']);
});
for (const [text, says] of [
  ['a,a', /two columns/],
  ['a,__proto__', /column 2/],
  ['', /no column/],
  ['a,b"c', /quote after character 2/],
  ['"a', /quote/],
] as const) {
  CsvSuite(`refuses the header ${JSON.stringify(text)}`, () => assert.throws(() => parse(text), says));
}

CsvSuite.run();
