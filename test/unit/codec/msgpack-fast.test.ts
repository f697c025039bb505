/** The fast decoder gives what the careful one gives, or nothing: for every value, and for every way to break its bytes. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packEvent, unpackCarefully, unpackValue } from '../../../src/codec/msgpack.ts';
import { unpackPlain } from '../../../src/codec/msgpack-fast.ts';

const Fast = suite('unpackPlain');

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 8 }),
);
/** Few keys, so that shapes repeat, and differ in one place. */
const key = fc.constantFrom('id', 'a', 'b', 'a key of some length', 'ключ', '1', '');
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('any'), { maxLength: 6 }),
    fc.dictionary(key, tie('any'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).any;

/** What came of it, errors by their text. */
function outcomeOf(unpack: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return { value: unpack(bytes) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

Fast('agrees with the careful path on every value', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 8 }), (values) => {
      const bytes = packEvent(values);
      const plain = unpackPlain(bytes);
      const careful = unpackCarefully(bytes);
      if (plain !== undefined) assert.equal(plain, careful);
      assert.equal(unpackValue(bytes), careful);
    }),
    { numRuns: 2_000 },
  );
});

Fast('agrees on bytes that are cut, changed or stretched', () => {
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 5 }),
      fc.nat(),
      fc.nat(255),
      fc.constantFrom('cut', 'change', 'add'),
      (values, place, byte, how) => {
        const whole = new Uint8Array(packEvent(values));
        const at = place % whole.length;
        const bytes =
          how === 'cut'
            ? whole.slice(0, at)
            : how === 'add'
              ? Uint8Array.of(...whole.slice(0, at), byte, ...whole.slice(at))
              : whole.with(at, byte);
        assert.equal(outcomeOf(unpackValue, bytes), outcomeOf(unpackCarefully, bytes));
      },
    ),
    { numRuns: 5_000 },
  );
});

Fast('takes a batch of plain events itself, in any order of shapes', () => {
  const events = Array.from({ length: 500 }, (_, n) =>
    n % 3 === 0 ? { id: `e-${n}`, n } : n % 3 === 1 ? { id: `e-${n}`, m: n } : { id: n, inner: { id: 'x', n } },
  );
  assert.equal(unpackPlain(packEvent(events)), events);
});

Fast('looks at nothing behind its range', () => {
  const bytes = new Uint8Array(packEvent(['a string of some length', 1_000_000, 1.5]));
  for (let length = 0; length < bytes.length; length += 1) {
    const exact = bytes.slice(0, length);
    const view = bytes.subarray(0, length);
    assert.equal(unpackPlain(view), undefined);
    assert.equal(outcomeOf(unpackValue, view), outcomeOf(unpackCarefully, exact));
  }
});

Fast('keys from data never reach a prototype or become code', () => {
  const hostile = ['"]: 1 }; globalThis.broken = 1; ({ "', '\\"', '\u2028', 'constructor', 'toString', 'get a', '`${1}`'];
  for (let round = 0; round < 3; round += 1) for (const name of hostile) assert.equal(unpackValue(packEvent({ [name]: 1 })), { [name]: 1 });
  assert.is((globalThis as { broken?: number }).broken, undefined);
  const proto = Uint8Array.of(0x81, 0xa9, ...Buffer.from('__proto__'), 1);
  assert.throws(() => unpackValue(proto), /proto/);
});

Fast('long strings do not hold on to their batch', () => {
  const text = 'x'.repeat(1_000);
  assert.equal(unpackPlain(packEvent([text, 'y'.repeat(12), 'z'.repeat(13)])), [text, 'y'.repeat(12), 'z'.repeat(13)]);
});
Fast.run();
