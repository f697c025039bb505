/** JSON texts, right and wrong, that have broken parsers, and endless ones for properties; what each must become is for the transcoder to say. */
import fc from 'fast-check';

export const NUMBERS: readonly string[] = [
  '0', '-0', '1', '-1', '9', '10', '127', '128', '255', '256', '65535', '65536', '4294967295', '4294967296', '-31', '-32', '-33', '-127', '-128', '-129', '-32768', '-32769',
  '-2147483648', '-2147483649', '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '99999999999999999', '999999999999999999', '-999999999999999999',
  '1000000000000000000', '9999999999999999999', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '18446744073709551615', '18446744073709551616',
  '0.0', '-0.0', '0.1', '-0.1', '1.0', '-1.0', '1.5', '0.5e1', '1e0', '1E5', '1e+5', '1e-5', '1e22', '1e23', '1e-22', '1e-23', '1.0e22', '123e20', '4294967295.0', '4294967296.0', '-2147483648.0',
  '-2147483649.0', '0e0', '-0e0', '0e5', '-0e-5', '0.00000000000000000001', '0.1234567890123456', '0.12345678901234567', '0.30000000000000004', '5e-324', '1e308', '1e309', '-1e309', '1e0000000001',
  '1e00', '1e-0', '12345678901234567.5', '900719925474099.1', '9007199254740991e0', '9007199254740993e0', '9007199254740993.0', '3.141592653589793', '1e9999', '1e99999', '00', '01', '-01', '0x1', '1.', '.1', '-', '-.5', '+1',
  '1e', '1e+', '1e-', '1.e1', '1.5.5', '1e5.5', '--1', '1-', '1a', '0_1', 'NaN', 'Infinity', '-Infinity', '１',
]; // prettier-ignore

export const STRINGS: readonly string[] = [
  '', 'a', 'é', 'ß€😀', '\u007f', '\u2028', '\\"', '\\\\', '\\/', '\\b\\f\\n\\r\\t', '\\u0000', '\\u0041', '\\u00e9', '\\u20AC', '\\ud83d\\ude00', '\\uD83D\\uDE00x', '\\uffff', '\\ufeff', '\ufeff',
  '\\ud83d', '\\ude00', '\\ude00\\ud83d', '\\ud83d\\ud83d', '\\ud83dx', '\\ud83d\\n', '\\ud83d\\u0041', '\\u', '\\u1', '\\u12', '\\u123', '\\u12G4', '\\U0041', '\\a', '\\x41', '\\0', '\\', '\t', '\u0000', '\u001f', '\r',
  "\\'", '\\é', '\\u+123', '\\u 123', '__proto__', '\\u005f_proto__', 'constructor',
]; // prettier-ignore

export const VALUES: readonly string[] = [
  ...NUMBERS, ...STRINGS.map((text) => `"${text}"`), 'true', 'false', 'null', 'True', 'tru', 'truee', 'nul', 'nulll', 'fals', 'falsey', 'undefined', '[]', '{}', '[ ]', '{ }', '[[]]', '[{}]', '{"a":{}}', '[1]', '[1,2]',
  '[1, 2]', '[ 1 , 2 ]', '[1,]', '[,1]', '[1 2]', '[1,,2]', '[', ']', '{', '}', '[}', '{]', '[1}', '{"a":1]', '{"a"}', '{"a":}', '{"a",1}', '{"a"::1}', '{a:1}', '{1:1}', "{'a':1}", '{"a":1,}', '{,}', '{"a":1 "b":2}',
  '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":1,"b":2,"a":{"a":1}}', '{"":1}', '{"":1,"":2}', '{"a":1,"A":2}', '{"__proto__":1}', '{"a":{"__proto__":{}}}', '{"__proto":1}', '{"é":1}', '{"a\\tb":1}',
  '/**/1', '1//', '#', '\u00a01', '\f1', '\v1', '"a', "'a'", '"a"b', '1 2', '""""', '[1]]', '{}}', '\ufeff1', '\ufeff{}',
]; // prettier-ignore

export const BAD_UTF8: readonly (readonly number[])[] = [
  [0x80], [0xbf], [0xc0, 0xaf], [0xc1, 0xbf], [0xe0, 0x9f, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff],
  [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xe2, 0xe2, 0x82], [0xe2, 0x82, 0x41], [0xf0, 0x9f, 0x41, 0x80], [0xc3, 0x22], [0xee, 0x80, 0x22], [0xf4, 0x8f, 0xbf, 0x22],
]; // prettier-ignore

/** Around the widths of a SIMD step and of msgpack's headers. */
export const LENGTHS: readonly number[] = [
  0, 1, 7, 8, 14, 15, 16, 17, 30, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537,
];

const SPACE = fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom(' ', '  ', '\t', '\r', ' \r\t '));
const piece = fc.oneof(
  fc.constantFrom(...STRINGS.slice(0, 19)),
  fc.string({ unit: fc.constantFrom('a', 'b', ' ', ':', '{', '}', ','), maxLength: 40 }).map((text) => text),
  fc.nat(70).map((length) => 'p'.repeat(length)),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text).slice(1, -1)),
);
const stringText = fc.array(piece, { maxLength: 4 }).map((pieces) => `"${pieces.join('')}"`);
const digits = fc.string({ unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'), minLength: 1, maxLength: 20 });
const numberText = fc.oneof(
  fc.constantFrom(...NUMBERS.slice(0, 76)),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.tuple(fc.constantFrom('', '-'), digits, digits).map(([sign, whole, rest]) => `${sign}${whole}.${rest}`),
  fc.tuple(digits, fc.integer({ min: -30, max: 30 })).map(([whole, exponent]) => `${whole}e${exponent}`),
);
const key = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('"a"', '"b"', '"c"', '"id"', '"é"', '"sixteen bytes ke"') }, stringText);

const { value, object } = fc.letrec<{ value: string; object: string }>((tie) => ({
  object: fc.array(fc.tuple(SPACE, key, SPACE, SPACE, tie('value'), SPACE), { maxLength: 6 }).map((entries) => `{${entries.map(([a, name, b, c, text, d]) => `${a}${name}${b}:${c}${text}${d}`).join(',')}}`),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('true', 'false', 'null'),
    numberText,
    stringText,
    fc.array(fc.tuple(SPACE, tie('value'), SPACE), { maxLength: 20 }).map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
    tie('object'),
  ),
})); // prettier-ignore

/** One line: mostly an object, with space around it. */
export const lineText: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(SPACE, object, SPACE).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: SPACE },
);

/** Several lines, some blank, the last one perhaps without an end. */
export const linesText: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.tuple(lineText, fc.constantFrom('\n', '\n', '\r\n', '\n\n', '\n \r\n')), { maxLength: 12 }),
    fc.constantFrom('', '\n', ' '),
  )
  .map(([lines, end]) => `${lines.map((line) => line.join('')).join('')}${end}`);
