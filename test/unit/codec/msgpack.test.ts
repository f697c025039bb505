/** The scanner and the picker agree with msgpackr; objects keep every value or are refused; bytes of any kind never crash or pollute. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { reasonOf } from '../../../src/api/reject-reasons.ts';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import { MsgpackEncoder } from '../../../src/codec/msgpack-encoder.ts';
import { MsgpackPicker, scanValue, skipValue, valueBorder } from '../../../src/codec/msgpack-scan.ts';
import { packEvent, unpackValue } from '../../../src/codec/msgpack.ts';
import { ENCODE_FULL, ENCODE_REJECT } from '../../../src/codec/record-encoder.ts';

const MsgpackSuite = suite('msgpack');
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

const text = fc.string({ unit: 'grapheme', maxLength: 80 });
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes)),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('tree'), { maxLength: 20 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('tree'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
}));

/** As it comes back: an integer that a number holds exactly is a number. */
function narrowed(value: unknown): unknown {
  if (typeof value === 'bigint') return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
  if (Array.isArray(value)) return value.map(narrowed);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, narrowed(member)]));
}

MsgpackSuite('an event comes back as it was, from shared memory too', () => {
  fc.assert(
    fc.property(tree, (value) => {
      const packed = Uint8Array.from(packEvent(value));
      const shared = new Uint8Array(new SharedArrayBuffer(packed.length + 9), 4, packed.length + 5);
      shared.set(packed, 5);
      assert.equal(unpackValue(packed), narrowed(value));
      assert.equal(unpackValue(shared.subarray(5)), narrowed(value));
    }),
    { numRuns: 300 },
  );
});

MsgpackSuite('an object and its JSON have the same bytes, so that their hashes are one', () => {
  // Not so beyond 2^53, where a number is a float and digits are an integer, and for -0, which msgpackr cannot write.
  const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => !/__proto__|\d{16}|\b-0\b/.test(JSON.stringify(value)));
  fc.assert(
    fc.property(json, (value) => {
      const input = Buffer.from(JSON.stringify(value));
      const output = new Uint8Array(input.length * 4 + 64);
      const end = new JsonTranscoder([]).encode(input, 0, input.length, output, 0, output.length);
      assert.equal(
        Buffer.from(packEvent(JSON.parse(input.toString()))).toString('hex'),
        Buffer.from(output.subarray(0, end)).toString('hex'),
      );
    }),
    { numRuns: 500 },
  );
});

MsgpackSuite('the scanner ends where the value ends, and every part of it is truncated', () => {
  fc.assert(
    fc.property(tree, fc.nat({ max: 9 }), fc.nat(), (value, before, cutAt) => {
      const packed = packEvent(value);
      const bytes = Buffer.concat([Buffer.alloc(before, 0xc1), packed, Buffer.from([0xc1])]);
      assert.is(skipValue(bytes, before, bytes.length), before + packed.length);
      assert.is(valueBorder(bytes, before, bytes.length), before + packed.length);
      assert.is(skipValue(bytes, before, before + (cutAt % packed.length)), -1);
    }),
    { numRuns: 300 },
  );
});

const packings: readonly { readonly name: string; readonly value: unknown; readonly want: string }[] = [
  { name: 'a byte', value: 127, want: '7f' },
  { name: 'a small map', value: { a: 1 }, want: '81a16101' },
  { name: 'an integer beyond 32 bits', value: 1_700_000_000_000, want: 'd30000018bcfe56800' },
  { name: 'an integer beyond int64', value: 2n ** 64n - 1n, want: 'cfffffffffffffffff' },
  { name: 'a small bigint', value: [5n, -1n], want: '9205ff' },
  { name: 'a negative integer beyond 32 bits', value: -(2 ** 40), want: 'd3ffffff0000000000' },
  { name: 'a Map', value: new Map([['a', 1n]]), want: '81a16101' },
  { name: 'what toJSON returns', value: { at: { toJSON: () => [1] } }, want: '81a261749101' },
  { name: 'an object without prototype', value: Object.assign(Object.create(null) as object, { a: 1 }), want: '81a16101' },
  { name: 'a Buffer', value: Buffer.from([1, 2]), want: 'c4020102' },
  { name: 'a Date', value: new Date(1_000), want: 'd6ff00000001' },
];
for (const { name, value, want } of packings)
  MsgpackSuite(`packs ${name}`, () => assert.is(Buffer.from(packEvent(value)).toString('hex'), want));

const circular: unknown[] = [];
circular.push({ again: circular });
const refusals: readonly { readonly name: string; readonly value: unknown; readonly says: RegExp }[] = [
  { name: 'undefined', value: undefined, says: /^event: undefined/ },
  { name: 'an undefined element', value: { a: [1, undefined] }, says: /at \/a\/1: undefined/ },
  { name: 'a function', value: [() => 0], says: /at \/0: function/ },
  { name: 'a symbol', value: Symbol('x'), says: /symbol/ },
  { name: 'a circle', value: circular, says: /contains itself/ },
  { name: 'a bigint beyond 64 bits', value: { n: 2n ** 64n }, says: /at \/n: the integer 18446744073709551616/ },
  { name: 'other typed arrays', value: new Float32Array(2), says: /Float32Array/ },
  { name: 'an ArrayBuffer', value: new ArrayBuffer(2), says: /ArrayBuffer/ },
  { name: 'a Set', value: new Set([1]), says: /Set/ },
  { name: 'an Error', value: new Error('x'), says: /Error/ },
  { name: 'an invalid Date', value: new Date(Number.NaN), says: /invalid/ },
  { name: 'half a surrogate pair', value: { a: '\ud800' }, says: /surrogate/ },
  { name: 'a member named __proto__', value: JSON.parse('{"__proto__":1}'), says: /at \/__proto__/ },
  { name: 'a Map with other keys', value: new Map([[1, 2]]), says: /keys must be strings/ },
];
for (const { name, value, says } of refusals)
  MsgpackSuite(`refuses ${name}`, () => fails(() => packEvent(value), 'MILLRACE_EVENT_INVALID', says));

MsgpackSuite('leaves out members that are undefined, as JSON.stringify does', () => {
  const event = { a: 1, b: undefined, c: { d: undefined } };
  assert.equal(packEvent(event), packEvent({ a: 1, c: {} }));
  assert.ok('b' in event, 'the caller keeps its event');
});

const undecodable: readonly { readonly name: string; readonly bytes: string; readonly says: RegExp }[] = [
  { name: 'no bytes', bytes: '', says: /truncated/ },
  { name: 'the unused byte', bytes: '91c1', says: /invalid msgpack \(byte 1\)/ },
  { name: 'bytes behind', bytes: '0101', says: /more bytes after the value \(byte 1\)/ },
  { name: 'a truncated string', bytes: 'a36162', says: /truncated/ },
  { name: 'an absurd array', bytes: 'ddffffffff01', says: /truncated/ },
  { name: 'an absurd map', bytes: 'dfffffffff01', says: /truncated/ },
  { name: 'an absurd bin', bytes: 'c6ffffffff01', says: /truncated/ },
  { name: 'a nesting of 100,000', bytes: `${'91'.repeat(100_000)}01`, says: /too deep/ },
  { name: 'text that is not UTF-8', bytes: 'a2c328', says: /invalid utf8/ },
  { name: 'a __proto__ key', bytes: `81a9${Buffer.from('__proto__').toString('hex')}80`, says: /proto key/ },
  { name: 'msgpackr’s record definitions', bytes: 'd4724091a16101', says: /extension type|more bytes/ },
];
for (const { name, bytes, says } of undecodable)
  MsgpackSuite(`does not unpack ${name}`, () => fails(() => unpackValue(hex(bytes)), 'MILLRACE_DECODE', says));

MsgpackSuite('512 levels unpack, 513 do not', () => {
  assert.ok(unpackValue(hex('91'.repeat(511) + '90')));
  fails(() => unpackValue(hex('91'.repeat(512) + '90')), 'MILLRACE_DECODE', /too deep/);
  assert.is(scanValue(hex('91'.repeat(512) + '90'), 0, 513), -3);
  assert.is(valueBorder(hex('91'.repeat(512) + '90'), 0, 513), 513);
});

MsgpackSuite('any bytes unpack or fail with MILLRACE_DECODE, and leave the prototypes alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const end = skipValue(bytes, 0, bytes.length);
      assert.ok(end === -1 || (end > 0 && end <= bytes.length));
      try {
        unpackValue(bytes);
      } catch (error) {
        assert.is((error as MillraceError).code, 'MILLRACE_DECODE');
      }
      assert.is(({} as { polluted?: unknown }).polluted, undefined);
    }),
    { numRuns: 3_000 },
  );
});

const paths = [['a'], ['b', '1', 'c'], [], ['missing'], ['b', 'x']];
MsgpackSuite('picks by path, the last of equal keys', () => {
  const bytes = hex('84a16101a162920081a163a178a16bc0a16102');
  const picker = new MsgpackPicker(paths);
  picker.pick(bytes, 0, bytes.length);
  assert.equal([...picker.pickStart], [18, 11, 0, -1, -1]);
  assert.equal([...picker.pickEnd], [19, 13, 19, -1, -1]);
});

MsgpackSuite('the encoder copies what it has checked and picks in the copy', () => {
  const value = { id: 'x'.repeat(40), n: [1, 2] };
  const packed = packEvent(value);
  const encoder = new MsgpackEncoder([['id'], ['n', '1']]);
  const output = new Uint8Array(200);
  assert.is(encoder.encode(packed, 0, packed.length, output, 7, 200), 7 + packed.length);
  assert.equal(unpackValue(output.slice(7, 7 + packed.length)), value);
  assert.is(unpackValue(output.slice(encoder.pickStart[0], encoder.pickEnd[0])), value.id);
  assert.is(unpackValue(output.slice(encoder.pickStart[1], encoder.pickEnd[1])), 2);
  assert.is(encoder.encode(packed, 0, packed.length, output, 7, 6 + packed.length), ENCODE_FULL);
  assert.is(encoder.encode(packed, 0, packed.length - 1, output, 7, 200), ENCODE_REJECT);
  assert.is(reasonOf(encoder.reason), 'truncated');
  assert.is(encoder.encode(hex('0101'), 0, 2, output, 0, 200), ENCODE_REJECT);
  assert.equal([reasonOf(encoder.reason), encoder.errorAt], ['invalid_msgpack', 1]);
});

function fails(work: () => unknown, code: string, says: RegExp): void {
  try {
    work();
  } catch (error) {
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, code);
    assert.match((error as MillraceError).message, says);
    return;
  }
  assert.unreachable('it must fail');
}

MsgpackSuite.run();
