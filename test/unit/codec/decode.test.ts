/** Messages of any producer decode by CONTRACT's rules or fail with MILLRACE_DECODE; headers cannot break out of their lines. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import { decodePayload } from '../../../src/codec/decode.ts';
import { findHeader, headerBlockBytes, parseHeaderBlock } from '../../../src/codec/header-block.ts';
import { packEvent } from '../../../src/codec/msgpack.ts';

const DecodeSuite = suite('decodePayload');
const MSGPACK = { 'Content-Type': 'application/msgpack' };
const decode = (payload: Uint8Array | string, headers: Record<string, string> = {}): unknown =>
  decodePayload(typeof payload === 'string' ? Buffer.from(payload) : payload, (name) => headers[name]);
const single = (event: unknown): unknown => ({ form: 'single', event });

const cases: readonly {
  readonly name: string;
  readonly payload: Uint8Array | string;
  readonly headers?: Record<string, string>;
  readonly want: unknown;
}[] = [
  { name: 'one event', payload: packEvent([1]), headers: MSGPACK, want: single([1]) },
  { name: 'a batch', payload: packEvent([1, 2]), headers: { ...MSGPACK, 'Millrace-Count': '2' }, want: { form: 'batch', events: [1, 2] } },
  {
    name: 'an envelope',
    payload: packEvent([
      ['i', { A: 'b' }, 1],
      [null, null, 2],
    ]),
    headers: { 'Content-Type': 'application/msgpack; form=envelope', 'Millrace-Count': '2' },
    want: {
      form: 'envelope',
      items: [
        { id: 'i', headers: { A: 'b' }, event: 1 },
        { id: null, headers: null, event: 2 },
      ],
    },
  },
  {
    name: 'JSON that says so',
    payload: '\ufeff{"a":1}',
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    want: single({ a: 1 }),
  },
  { name: 'JSON that does not', payload: ' [1]', want: single([1]) },
  { name: 'msgpack that does not', payload: packEvent({ a: 1 }), want: single({ a: 1 }) },
  { name: 'msgpack whose text is no UTF-8 as a whole', payload: packEvent([200, 'x']), want: single([200, 'x']) },
  { name: 'text', payload: 'hello', want: single('hello') },
  { name: 'text that could be msgpack below 0x80', payload: 'A', want: single('A') },
  { name: 'nothing', payload: '', want: single('') },
  { name: 'bytes', payload: Uint8Array.of(0xff, 0xfe), want: single(Uint8Array.of(0xff, 0xfe)) },
  {
    name: 'bytes that say so',
    payload: '{}',
    headers: { 'Content-Type': 'application/octet-stream' },
    want: single(Uint8Array.of(0x7b, 0x7d)),
  },
  { name: 'text that says so', payload: '1', headers: { 'Content-Type': 'text/plain' }, want: single('1') },
  {
    name: 'exact integers',
    payload:
      '{"a":9007199254740993,"b":-123456789012345678901234567890,"c":"9007199254740993","d":1234567890123456.5,"e":1234567890123456,"f":1e30}',
    want: single({
      a: 9007199254740993n,
      b: -123456789012345678901234567890n,
      c: '9007199254740993',
      d: 1234567890123456.5,
      e: 1234567890123456,
      f: 1e30,
    }),
  },
  {
    name: 'exact integers beside text with our mark',
    payload: '["\ue000i5","\\ue000s",{"\ue000":9007199254740993,"\\"":1}]',
    want: single(['\ue000i5', '\ue000s', { '\ue000': 9007199254740993n, '"': 1 }]),
  },
];
for (const { name, payload, headers, want } of cases) DecodeSuite(`reads ${name}`, () => assert.equal(decode(payload, headers), want));

const failures: readonly {
  readonly name: string;
  readonly payload: Uint8Array | string;
  readonly headers?: Record<string, string>;
  readonly says: RegExp;
}[] = [
  { name: 'JSON that is none', payload: '{', headers: { 'Content-Type': 'application/json' }, says: /says JSON/ },
  {
    name: 'JSON that is not UTF-8',
    payload: Uint8Array.of(0x22, 0xff, 0x22),
    headers: { 'Content-Type': 'application/json' },
    says: /UTF-8/,
  },
  {
    name: 'JSON 100,000 deep',
    payload: '['.repeat(100_000) + ']'.repeat(100_000),
    headers: { 'Content-Type': 'application/json' },
    says: /deep/,
  },
  { name: 'msgpack that is none', payload: '', headers: MSGPACK, says: /truncated/ },
  { name: 'a wrong count', payload: packEvent([1, 2]), headers: { ...MSGPACK, 'Millrace-Count': '3' }, says: /says "3", and 2/ },
  { name: 'a count that is none', payload: packEvent([1]), headers: { ...MSGPACK, 'Millrace-Count': 'x' }, says: /says "x"/ },
  { name: 'a batch that is no array', payload: packEvent({}), headers: { ...MSGPACK, 'Millrace-Count': '1' }, says: /array/ },
  {
    name: 'an envelope with a broken element',
    payload: packEvent([[1, null, 2]]),
    headers: { 'Content-Type': 'application/msgpack;form=envelope' },
    says: /element 0/,
  },
  { name: 'an integer of 2,000 digits', payload: '9'.repeat(2_000), says: /2000 digits/ },
];
for (const { name, payload, headers, says } of failures) {
  DecodeSuite(`fails for ${name}`, () =>
    assert.throws(
      () => decode(payload, headers),
      (error: MillraceError) => error.code === 'MILLRACE_DECODE' && says.test(error.message),
    ),
  );
}

DecodeSuite('any bytes with any content type decode or fail with MILLRACE_DECODE', () => {
  const type = fc.constantFrom(
    undefined,
    'application/json',
    'application/msgpack',
    'application/msgpack; form=envelope',
    'text/plain',
    'x/y',
    ';;',
  );
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .anything()
      .map((value) => Buffer.from(String(JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? 1 : member))))),
  );
  fc.assert(
    fc.property(payload, type, fc.constantFrom(undefined, '1', '2', '-1'), (bytes, contentType, count) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      try {
        decodePayload(shared, (name) => (name === 'Content-Type' ? contentType : count));
      } catch (error) {
        assert.is((error as MillraceError).code, 'MILLRACE_DECODE');
      }
      assert.is(({} as { polluted?: unknown }).polluted, undefined);
    }),
    { numRuns: 3_000 },
  );
});

DecodeSuite('JSON reads as JSON.parse has it, where no integer is too long', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom('', ' ,"n":9007199254740993'), (text, more) => {
      const got = (decode(`{"v":${text}${more}}`) as { event: { v: unknown } }).event;
      assert.equal(got.v, widened(JSON.parse(text)));
      if (more !== '') assert.equal((got as { n?: unknown }).n, 9007199254740993n);
    }),
  );
});

/** Integers that JSON.parse rounds or only happens to get right are bigint with us: JSON.stringify has printed their digits. */
function widened(value: unknown): unknown {
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) > 2 ** 53 && Math.abs(value) < 1e21 ? BigInt(String(value)) : value;
  if (Array.isArray(value)) return value.map(widened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, widened(member)]));
}

const token = fc.string({ unit: fc.constantFrom('a', 'Z', '-', '_', '0', '!', '~'), minLength: 1, maxLength: 8 });
const value = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\r\n\0]/.test(text));
DecodeSuite('headers come back as they went', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(token, fc.constant('__proto__')), value, { maxKeys: 6 }), (headers) => {
      const block = headerBlockBytes(headers);
      const bytes = Buffer.concat([Buffer.from('xx'), block, Buffer.from('payload')]);
      assert.equal(Object.entries(parseHeaderBlock(bytes, 2, 2 + block.length)), Object.entries(headers));
      assert.is(({} as { polluted?: unknown }).polluted, undefined);
    }),
  );
  assert.is(headerBlockBytes({}).length, 0);
});
for (const [name, text] of [
  ['a', 'b\r\nc'],
  ['a', 'b\nc'],
  ['a', '\0'],
  ['', 'b'],
  ['a b', 'c'],
  ['a:', 'c'],
  ['é', 'c'],
  ['a\r', 'c'],
  ['a', '\ud800'],
  ['a', 5],
] as const) {
  DecodeSuite(`refuses the header ${JSON.stringify([name, text])}`, () =>
    assert.throws(
      () => headerBlockBytes({ [name]: text as string }),
      (error: MillraceError) => error.code === 'MILLRACE_HEADER_INVALID',
    ),
  );
}
DecodeSuite('reads header blocks of others', () => {
  const block = Buffer.from('NATS/1.0 503 No Responders\r\nA:b\r\nA: c\r\nnothing\r\n:x\r\nD:  e \r\n\r\n');
  assert.equal({ ...parseHeaderBlock(block, 0, block.length) }, { A: 'b', D: ' e ' });
});
DecodeSuite('any bytes parse as headers', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parseHeaderBlock(bytes, 0, bytes.length)));
});
DecodeSuite('finds headers in any case, the exact one first', () => {
  const headers = { 'content-type': 'x', 'Content-Type': 'y' };
  assert.equal(
    [findHeader(headers, 'Content-Type'), findHeader(headers, 'CONTENT-TYPE'), findHeader(headers, 'toString')],
    ['y', 'x', undefined],
  );
});

DecodeSuite.run();
