/** Every number token becomes the integer it names or the double nearest to it. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import { judge } from './json-oracle.ts';
import { check, transcode } from './json-rig.ts';

const JsonNumberSuite = suite('JSON numbers');
const reused = new JsonTranscoder([]);
const bytes = (text: string): Uint8Array => Buffer.from(text);
const agree = (token: string): void => void check(bytes(token), [], reused);

const digits = (max: number): fc.Arbitrary<string> => fc.string({ unit: fc.nat(9).map(String), minLength: 1, maxLength: max });
const integer = fc.tuple(fc.constantFrom('', '-'), digits(24)).map(([sign, text]) => sign + (text.replace(/^0+/, '') || '0'));
const exponent = fc.oneof(
  fc.constant(''),
  fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.oneof(fc.nat(30), fc.nat(400), fc.nat())).map((parts) => parts.join('')),
);
const real = fc
  .tuple(
    integer,
    fc.oneof(
      fc.constant(''),
      digits(30).map((text) => `.${text}`),
    ),
    exponent,
  )
  .map((parts) => parts.join(''));

JsonNumberSuite('reads random digits', () => {
  fc.assert(fc.property(fc.oneof(integer, real), agree), { numRuns: 10_000 });
});

JsonNumberSuite('gives back every double that was written down', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      for (const token of [String(value), value.toExponential(), value.toExponential(17), value.toExponential(20)]) agree(token);
    }),
    { numRuns: 3_000 },
  );
});

const float = new DataView(new ArrayBuffer(8));
/** The exact decimal digits of the point halfway to the next double: a tie that the last digits decide. */
function halfway(bits: bigint): string {
  float.setBigUint64(0, bits);
  const value = float.getFloat64(0);
  float.setBigUint64(0, bits + 1n);
  const next = float.getFloat64(0);
  // As a fraction over 2^1075 both are integers, and so is twice their middle.
  const scaled = (double: number): bigint => {
    float.setFloat64(0, double);
    const raw = float.getBigUint64(0);
    const power = (raw >> 52n) & 0x7ffn;
    const fraction = raw & ((1n << 52n) - 1n);
    return power === 0n ? fraction << 1n : (fraction | (1n << 52n)) << power;
  };
  const middle = (scaled(value) + scaled(next)) / 2n;
  return String(middle * 5n ** 1075n); // times 10^-1075
}

JsonNumberSuite('rounds ties to even, and what lies just beside them to the nearer side', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 0x7fef_ffff_ffff_fffen), (bits) => {
      const middle = halfway(bits);
      for (const token of [`${middle}e-1075`, `${middle}1e-1076`, `${BigInt(middle) - 1n}e-1075`]) agree(token);
    }),
    { numRuns: 1_000 },
  );
});

const edges = [
  '5e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '2.2250738585072014e-308', '2.2250738585072011e-308', '1.7976931348623157e308', '1.7976931348623158e308', '1.7976931348623159e308',
  '9007199254740991', '9007199254740992', '9007199254740993', '9007199254740993.0', '9007199254740992.5', '9007199254740995.0', '90071992547409921e-1', '9007199254740991e22', '9007199254740991e23', '9007199254740991e-22', '9007199254740991e-23',
  '123456789e22', '1e22', '1e23', '1e-22', '1e-23', '0.1', '0.2', '0.3', '4294967295e0', '4294967296e0', '-2147483648.0', '-2147483649.0', '-0e0', '-0.000', '-1e-999', `0.${'0'.repeat(400)}1e401`, `${'1'.repeat(300)}e-300`,
  `1.${'0'.repeat(900)}1`, `0.${'0'.repeat(30)}1e31`, '999999999.5', '1000000000.5', '0.000001', '1e0', '12e-1', '12.50', '127.0', '128.0', '255e0', '65535.0', '-32.0', '-33.0', '-128.0', '-129e0', '-32768.0', '-32769.0',
]; // prettier-ignore
for (const token of edges) JsonNumberSuite(`reads ${token.slice(0, 40)}`, () => agree(token));

JsonNumberSuite('keeps every integer near a border exact', () => {
  for (let power = 0n; power <= 65n; power += 1n)
    for (let step = -2n; step <= 2n; step += 1n) for (const sign of [1n, -1n]) agree(String(sign * ((1n << power) + step)));
  for (let power = 0n; power <= 20n; power += 1n) for (let step = -1n; step <= 1n; step += 1n) agree(String(10n ** power + step));
});

JsonNumberSuite('reads a number of a hundred thousand digits', () => {
  const token = `1.${'3'.repeat(100_000)}`;
  assert.ok('tree' in judge(bytes(token)));
  agree(token);
  assert.is(transcode(reused, bytes('7'.repeat(100_000))).refusal, 'integer_range@0');
});

JsonNumberSuite.run();
