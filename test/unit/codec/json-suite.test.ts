/** RFC 8259 by cases: y_ must be accepted, n_ must be refused for the named reason, i_ is what this transcoder decides. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import { check, transcode } from './json-rig.ts';

const accepted: Readonly<Record<string, readonly string[]>> = {
  structure: [
    '[]',
    '{}',
    '[[]]',
    '[{}]',
    '{"a":{}}',
    '{"a":[]}',
    ' [] ',
    '\t\r\n{}\n',
    '[ ]',
    '{ }',
    '[[],[]]',
    '[1,2,3]',
    '[null]',
    '[ 1 , 2 ]',
  ],
  'lonely value': ['1', '-1', '"a"', 'true', 'false', 'null', ' 1 ', '""', '0', '1.5', '\n"x"\n'],
  literal: ['[true,false,null]', '{"true":true}', '[ true ]', '{"a":null,"b":false}'],
  object: [
    '{"a":1}',
    '{"a":1,"b":2}',
    '{"":0}',
    '{"a" : 1}',
    '{"a":1,"a":1}',
    '{"a":1,"a":2}',
    '{"\\u0061":1,"a":2}',
    '{"a":{"a":1,"a":2},"a":3}',
    '{"a":[],"b":[],"a":[1]}',
    '{"\\u0000":1}',
    '{"a\\tb":1}',
    '{"é":1,"\\u00e9":2}',
    '{"__proto":1}',
    '{"proto__":1}',
    '{"__Proto__":1}',
    '{"constructor":1}',
    '{"0":1,"a":2,"00":3}',
    '{\n"a"\n:\n1\n}',
  ],
  integer: [
    '[0]',
    '[-0]',
    '[1]',
    '[-1]',
    '[127]',
    '[128]',
    '[255]',
    '[256]',
    '[65535]',
    '[65536]',
    '[2147483647]',
    '[2147483648]',
    '[4294967295]',
    '[4294967296]',
    '[-32]',
    '[-33]',
    '[-128]',
    '[-129]',
    '[-32768]',
    '[-32769]',
    '[-2147483648]',
    '[-2147483649]',
    '[9007199254740991]',
    '[9007199254740993]',
    '[9223372036854775807]',
    '[9223372036854775808]',
    '[18446744073709551615]',
    '[-9223372036854775808]',
    '[999999999]',
    '[1000000000]',
    '[-4294967296]',
    '[-18446744069414584320e0]',
  ],
  real: [
    '[0.0]',
    '[-0.0]',
    '[1.0]',
    '[1e3]',
    '[1E3]',
    '[1e+3]',
    '[1e-3]',
    '[1.5e3]',
    '[123.456]',
    '[0e1]',
    '[0E-0]',
    '[-1e-7]',
    '[1e22]',
    '[1e23]',
    '[4294967295.0]',
    '[4294967296.0]',
    '[5e-324]',
    '[2e-324]',
    '[1e-400]',
    '[-1e-400]',
    '[1.7976931348623157e308]',
    '[0.1]',
    '[3.141592653589793]',
    '[123456789012345678901234567890.0]',
    '[0.00000000000000000000000001]',
    '[1e00000000001]',
    '[0.0e999999999999]',
    '[1e-999999999999999999999]',
  ],
  string: [
    '["a"]',
    '["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
    '["\\u0000"]',
    '["\\u001f"]',
    '["\\u007F"]',
    '["\\u0080"]',
    '["\\u07ff\\u0800"]',
    '["\\uFFFF"]',
    '["\\uD834\\uDD1E"]',
    '["\\udbff\\udfff"]',
    '["é"]',
    '["€"]',
    '["😀"]',
    '["\u007f"]',
    '["\u2028\u2029"]',
    '["\ufeff"]',
    '["\ufffd\uffff"]',
    '["a\\u0062c"]',
    '["/"]',
    '[" "]',
    '["\\u005C"]',
    '["\\u0022"]',
    '["\\uD83D\\uDE00\\uD83D\\uDE00"]',
  ],
};

const refused: readonly (readonly [text: string, refusal: string])[] = [
  // Cut off: the record ends inside a value.
  ['[', 'truncated@1'], ['{', 'truncated@1'], ['[1', 'truncated@2'], ['[1,', 'truncated@3'], ['{"a"', 'truncated@4'], ['{"a":', 'truncated@5'], ['{"a":1', 'truncated@6'],
  ['{"a":1,', 'truncated@7'], ['"', 'truncated@1'], ['"a', 'truncated@2'], ['"a\\', 'truncated@3'], ['"\\u', 'truncated@3'], ['"\\u12', 'truncated@5'], ['t', 'truncated@1'],
  ['tru', 'truncated@3'], ['fals', 'truncated@4'], ['nul', 'truncated@3'], ['-', 'truncated@1'], ['1.', 'truncated@2'], ['1e', 'truncated@2'], ['1e+', 'truncated@3'], ['-1.', 'truncated@3'],
  ['[[', 'truncated@2'], ['[ ', 'truncated@2'], ['{"', 'truncated@2'], ['"\\ud83d', 'truncated@7'], ['"\\ud83d\\', 'truncated@8'], ['"\\ud83d\\ude0', 'truncated@12'], ['[{}', 'truncated@3'],
  // No value at all, or more than one.
  ['', 'invalid_json@0'], [' ', 'invalid_json@1'], ['\n\n', 'invalid_json@2'], ['1 2', 'invalid_json@2'], ['[][]', 'invalid_json@2'], ['{}}', 'invalid_json@2'], ['[]]', 'invalid_json@2'],
  ['1]', 'invalid_json@1'], ['"a"x', 'invalid_json@3'], ['nullnull', 'invalid_json@4'], ['true,', 'invalid_json@4'], [']', 'invalid_json@0'], ['}', 'invalid_json@0'], [',', 'invalid_json@0'],
  // Lists.
  ['[,1]', 'invalid_json@1'], ['[1,]', 'invalid_json@3'], ['[1,,2]', 'invalid_json@3'], ['[1 2]', 'invalid_json@3'], ['[1}', 'invalid_json@2'], ['[:]', 'invalid_json@1'], ['["a":1]', 'invalid_json@4'],
  ['[a]', 'invalid_json@1'], ['[1;2]', 'invalid_json@2'], ["['a']", 'invalid_json@1'], ['[\u00a01]', 'invalid_json@1'], ['[\f]', 'invalid_json@1'], ['[\v1]', 'invalid_json@1'], ['(1)', 'invalid_json@0'],
  // Objects.
  ['{,}', 'invalid_json@1'], ['{"a":1,}', 'invalid_json@7'], ['{"a":1,,}', 'invalid_json@7'], ['{"a"}', 'invalid_json@4'], ['{"a":}', 'invalid_json@5'], ['{"a",1}', 'invalid_json@4'],
  ['{"a"::1}', 'invalid_json@5'], ['{a:1}', 'invalid_json@1'], ['{1:1}', 'invalid_json@1'], ["{'a':1}", 'invalid_json@1'], ['{null:1}', 'invalid_json@1'], ['{[]:1}', 'invalid_json@1'],
  ['{"a":1 "b":2}', 'invalid_json@7'], ['{"a":1]', 'invalid_json@6'], ['{:1}', 'invalid_json@1'], ['{"a":1:2}', 'invalid_json@6'], ['{"a" "b"}', 'invalid_json@5'], ['{"a":1;}', 'invalid_json@6'],
  ['{"__proto__":1}', 'proto_key@1'], ['{"a":{"__proto__":{}}}', 'proto_key@6'], ['{"\\u005f_proto__":1}', 'proto_key@1'], ['{"__proto\\u005F\\u005f":1}', 'proto_key@1'],
  // Literals.
  ['True', 'invalid_json@0'], ['TRUE', 'invalid_json@0'], ['trux', 'invalid_json@3'], ['nil', 'invalid_json@1'], ['undefined', 'invalid_json@0'], ['NaN', 'invalid_json@0'], ['Infinity', 'invalid_json@0'],
  ['-Infinity', 'invalid_json@1'], ['[truefalse]', 'invalid_json@5'], ['fAlse', 'invalid_json@1'], ['nulL', 'invalid_json@3'],
  // Numbers.
  ['01', 'invalid_json@1'], ['-01', 'invalid_json@2'], ['00', 'invalid_json@1'], ['+1', 'invalid_json@0'], ['.5', 'invalid_json@0'], ['-.5', 'invalid_json@1'], ['[1.]', 'invalid_json@3'], ['1.e5', 'invalid_json@2'],
  ['1..2', 'invalid_json@2'], ['1.2.3', 'invalid_json@3'], ['[1e]', 'invalid_json@3'], ['[1e+]', 'invalid_json@4'], ['1e5.5', 'invalid_json@3'], ['1ee5', 'invalid_json@2'], ['--1', 'invalid_json@1'], ['1-2', 'invalid_json@1'],
  ['0x10', 'invalid_json@1'], ['1_000', 'invalid_json@1'], ['1n', 'invalid_json@1'], ['1a', 'invalid_json@1'], ['- 1', 'invalid_json@1'], ['0.1e', 'truncated@4'], ['012.5', 'invalid_json@1'], ['00000000000', 'invalid_json@1'],
  ['１', 'invalid_json@0'], ['1e 5', 'invalid_json@2'], ['-a', 'invalid_json@1'], ['-[]', 'invalid_json@1'],
  ['18446744073709551616', 'integer_range@0'], ['[-9223372036854775809]', 'integer_range@1'], ['100000000000000000000', 'integer_range@0'], [`${'9'.repeat(400)}`, 'integer_range@0'], ['-18446744073709551615', 'integer_range@0'],
  ['1e400', 'number_range@0'], ['[-1e309]', 'number_range@1'], ['1.7976931348623159e308', 'number_range@0'], ['1e999999999999999999999', 'number_range@0'], [`${'9'.repeat(400)}.5`, 'number_range@0'],
  // Strings.
  ['"\n"', 'invalid_json@1'], ['"\t"', 'invalid_json@1'], ['"\0"', 'invalid_json@1'], ['"a\u001fb"', 'invalid_json@2'], ['"\\x41"', 'invalid_json@2'], ['"\\a"', 'invalid_json@2'], ["\"\\'\"", 'invalid_json@2'], ['"\\U0041"', 'invalid_json@2'],
  ['"\\u12"', 'invalid_json@5'], ['"\\u12G4"', 'invalid_json@5'], ['"\\u 123"', 'invalid_json@3'], ['"\\u+123"', 'invalid_json@3'], ['"\\0"', 'invalid_json@2'], ['"\\é"', 'invalid_json@2'], ['"\\\n"', 'invalid_json@2'],
  ['"\\ud83d"', 'lone_surrogate@1'], ['"\\ude00"', 'lone_surrogate@1'], ['"\\ude00\\ud83d"', 'lone_surrogate@1'], ['"\\ud83d\\ud83d"', 'lone_surrogate@1'], ['"\\ud83d\\n"', 'lone_surrogate@1'], ['"\\ud83dx"', 'lone_surrogate@1'],
  ['"\\ud83d\\u0041"', 'lone_surrogate@1'], ['{"\\udfff":1}', 'lone_surrogate@2'], ['"\\ud83d\\u00"', 'invalid_json@11'],
  // Comments, marks and leftovers.
  ['\ufeff1', 'invalid_json@0'], ['/**/1', 'invalid_json@0'], ['1//', 'invalid_json@1'], ['[1,/**/2]', 'invalid_json@3'], ['#', 'invalid_json@0'], ['\0', 'invalid_json@0'], ['1\0', 'invalid_json@1'], ['\\u0031', 'invalid_json@0'], ['*', 'invalid_json@0'],
]; // prettier-ignore

/** Bytes that are no UTF-8, inside a string that begins at 0. */
const badUtf8: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['a lone continuation', [0x80]], ['another', [0xbf]], ['an overlong slash', [0xc0, 0xaf]], ['an overlong letter', [0xc1, 0xbf]], ['an overlong 3-byte form', [0xe0, 0x9f, 0xbf]], ['an overlong 4-byte form', [0xf0, 0x8f, 0xbf, 0xbf]],
  ['a high surrogate', [0xed, 0xa0, 0x80]], ['a low surrogate', [0xed, 0xbf, 0xbf]], ['U+110000', [0xf4, 0x90, 0x80, 0x80]], ['a 5-byte form', [0xf8, 0x88, 0x80, 0x80, 0x80]], ['0xfe', [0xfe]], ['0xff', [0xff]],
  ['a cut 2-byte form', [0xc3]], ['a cut 3-byte form', [0xe2, 0x82]], ['a cut 4-byte form', [0xf0, 0x9f, 0x98]], ['a lead in place of a continuation', [0xe2, 0xe2, 0x82]], ['ASCII in place of a continuation', [0xe2, 0x82, 0x41]],
]; // prettier-ignore

const JsonSuite = suite('JSON cases');

for (const [area, texts] of Object.entries(accepted))
  for (const text of texts)
    JsonSuite(`accepts ${area}: ${JSON.stringify(text).slice(0, 60)}`, () => {
      assert.ok(check(Buffer.from(text), [[], ['a'], ['0'], ['a', 'a']])); // prettier-ignore
    });

for (const [text, refusal] of refused)
  JsonSuite(`refuses ${JSON.stringify(text).slice(0, 60)}: ${refusal}`, () => {
    assert.is(transcode(new JsonTranscoder([]), Buffer.from(text)).refusal, refusal);
    assert.not.ok(check(Buffer.from(text)));
  });

for (const [name, bytes] of badUtf8)
  for (const before of ['', 'plain', 'x'.repeat(40), '\\n'])
    JsonSuite(`refuses ${name} after ${JSON.stringify(before).slice(0, 12)}`, () => {
      const text = Buffer.from(`"${before}`);
      for (const after of ['"', ' tail"', '']) {
        // prettier-ignore
        const { refusal } = transcode(new JsonTranscoder([]), Buffer.concat([text, Buffer.from(bytes), Buffer.from(after)]));
        assert.is(refusal, `invalid_utf8@${text.length}`);
      }
    });

JsonSuite.run();
