/** The STAN wrapper gives back what it was given, is plain msgpack to others, and never mistakes other bytes for itself. */
import fc from 'fast-check';
import { addExtension, unpack } from 'msgpackr';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unwrap, wrap, WRAPPER_BYTES_MAX, WRAPPER_TYPE } from '../../../src/processors/streaming/wrapper.ts';

const WrapperSuite = suite('STAN wrapper');

const wrapped = (headers: Readonly<Record<string, string>>, payload: Uint8Array): Buffer => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const block = Buffer.from(lines.length === 0 ? '' : `NATS/1.0\r\n${lines.join('')}\r\n`);
  const memory = new Uint8Array(new SharedArrayBuffer(block.length + payload.length + 2)).fill(0x23);
  memory.set(block, 1);
  memory.set(payload, 1 + block.length);
  return wrap(memory, 1, 1 + block.length, 1 + block.length + payload.length);
};

const bare = [
  { name: 'no headers', headers: {}, payload: Buffer.from('hello') },
  { name: 'nothing at all', headers: {}, payload: Buffer.alloc(0) },
  { name: 'msgpack that says so', headers: { 'Content-Type': 'application/msgpack' }, payload: Buffer.of(0x81, 0xa1, 0x61, 1) },
];
for (const { name, headers, payload } of bare)
  WrapperSuite(`leaves ${name} bare`, () => {
    assert.equal(wrapped(headers, payload), payload);
    assert.is(unwrap(payload), null);
  });

const boxed = [
  { name: 'msgpack that could be read as JSON', headers: { 'Content-Type': 'application/msgpack' }, payload: Buffer.of(0x31) },
  { name: 'another content type', headers: { 'Content-Type': 'application/json' }, payload: Buffer.from('{}') },
  { name: 'a second header', headers: { 'Content-Type': 'application/msgpack', 'Nats-Msg-Id': 'a' }, payload: Buffer.of(0x80) },
  { name: 'bytes that look like a wrapper', headers: {}, payload: Buffer.of(0xc7, 0, WRAPPER_TYPE) },
  { name: 'an empty payload with a header', headers: { A: 'b' }, payload: Buffer.alloc(0) },
];
for (const { name, headers, payload } of boxed)
  WrapperSuite(`wraps ${name}`, () => {
    const bytes = wrapped(headers, payload);
    assert.not.equal(bytes, payload);
    const out = unwrap(bytes);
    assert.ok(out !== null);
    assert.equal({ ...out.headers }, headers);
    assert.equal(out.payload, payload);
  });

const headerName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,40}$/);
const headerValue = fc.stringMatching(/^([!-~é]([ -~é]{0,400}[!-~é])?)?$/u);

WrapperSuite('gives back any headers and payload, at a bounded cost', () => {
  fc.assert(
    fc.property(
      fc.dictionary(headerName, headerValue, { maxKeys: 20 }),
      fc.uint8Array({ maxLength: 70_000, size: 'max' }),
      (headers, payload) => {
        const distinct = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
        fc.pre(distinct.size === Object.keys(headers).length);
        const bytes = wrapped(headers, payload);
        const out = unwrap(bytes);
        const block = Object.entries(headers).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value) + 4, 0);
        assert.ok(bytes.length <= payload.length + block + WRAPPER_BYTES_MAX);
        if (out === null) return assert.equal(bytes, Buffer.from(payload));
        assert.equal({ ...out.headers }, { ...headers });
        assert.equal(out.payload, Buffer.from(payload));
      },
    ),
    { numRuns: 200 },
  );
});

WrapperSuite('is one msgpack ext value to any other reader', () => {
  addExtension({ type: WRAPPER_TYPE, unpack: (bytes: Uint8Array) => unpack(bytes) as unknown });
  const value = unpack(wrapped({ A: 'b', 'X-Long': 'x'.repeat(300) }, Buffer.alloc(70_000, 5))) as { headers: object; payload: Uint8Array };
  assert.equal(value.headers, { A: 'b', 'X-Long': 'x'.repeat(300) });
  assert.is(value.payload.length, 70_000);
});

WrapperSuite('takes every cut or lengthened wrapper for bare bytes', () => {
  const whole = wrapped({ A: 'b', C: 'd' }, Buffer.from('payload'));
  for (let length = 0; length < whole.length; length++) assert.is(unwrap(whole.subarray(0, length)), null, `cut at ${length}`);
  assert.is(unwrap(Buffer.concat([whole, Buffer.of(0)])), null);
  for (let at = 3; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = 0xc1;
    unwrap(changed); // Any answer will do, but no throw.
  }
});

WrapperSuite.run();
