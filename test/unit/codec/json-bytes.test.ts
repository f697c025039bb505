/** No bytes make the transcoder throw, read or write outside its ranges, or accept what JSON.parse refuses. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import { check, transcode } from './json-rig.ts';

const JsonBytesSuite = suite('JSON bytes');
const paths = [['a'], ['b', '0'], []];
const reused = new JsonTranscoder(paths);
const agree = (record: Uint8Array): void => void check(record, paths, reused);

const fragments = ['{', '}', '[', ']', ':', ',', '"', '\\', '\\u', 'd83d', '\\ud83d\\ude00', 'null', 'tru', 'true', '1', '-', '.', 'e', '0', '"a"', '"a":', '"__proto__"', ' ', '\n', 'é', '\u0001', '12.5', '1e9']; // prettier-ignore
const seeds = [
  '{"id":"0f8fad5b-d9cb","type":"page_view","ts":1732500000123,"user":{"id":123456,"country":"DE"},"url":"https://example.org/a/b?c=d","ms":12.5,"ok":true,"tags":["a","b"]}',
  '{"a":"\\u00e9\\ud83d\\ude00 é€😀","b":[1,-2,3.25e-7,18446744073709551615,null],"a":{"b":[],"c":{}}}',
  `["${'x'.repeat(40)}","${'é'.repeat(40)}",[[[[]]]],{"a":1,"b":2,"a":3}]`,
].map((text) => Buffer.from(text));

JsonBytesSuite('agrees with the oracle on random bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), agree), { numRuns: 10_000 });
});

JsonBytesSuite('agrees on random pieces of JSON', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 14 }), (parts) => agree(Buffer.from(parts.join('')))),
    { numRuns: 20_000 },
  );
});

const mutation = fc.tuple(
  fc.nat(),
  fc.constantFrom('set', 'cut', 'insert', 'repeat'),
  fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[]:,0-.e \n'))),
  fc.nat(8),
);
function mutate(record: Uint8Array, [place, way, byte, length]: readonly [number, string, number, number]): Uint8Array {
  const at = place % (record.length + 1);
  const head = record.subarray(0, at);
  if (way === 'set') return Buffer.concat([head, Uint8Array.of(byte), record.subarray(at + 1)]);
  if (way === 'insert') return Buffer.concat([head, Uint8Array.of(byte), record.subarray(at)]);
  if (way === 'cut') return Buffer.concat([head, record.subarray(at + length)]);
  return Buffer.concat([record.subarray(0, at + length), record.subarray(at)]);
}

JsonBytesSuite('agrees on damaged records', () => {
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 3 }), (seed, mutations) =>
      agree(mutations.reduce<Uint8Array>(mutate, seed)),
    ),
    { numRuns: 10_000 },
  );
});

for (const seed of seeds)
  JsonBytesSuite(`agrees on every beginning of ${seed.toString().slice(0, 20)}`, () => {
    for (let length = 0; length <= seed.length; length += 1) agree(seed.subarray(0, length));
  });

const roomy = [
  ...seeds.map(String), '""', '1', '-1', '128', '-129', '70000', '1.5', '123456789012', '-0', 'true', 'null', '[]', '{}', '"é"', '"\\n"', '"\\u00e9"', '"\\ud83d\\ude00"',
  `"${'y'.repeat(31)}"`, `"${'y'.repeat(32)}"`, `"${'y'.repeat(256)}"`, `"${'é'.repeat(128)}"`, `"\\t${'z'.repeat(300)}"`, JSON.stringify(Array.from({ length: 40 }, (_, index) => [index, Array.from({ length: 17 }, () => 0)])),
]; // prettier-ignore
for (const text of roomy)
  JsonBytesSuite(`needs no byte more than it writes: ${text.slice(0, 30)}`, () => {
    const record = Buffer.from(text);
    const whole = transcode(new JsonTranscoder([]), record);
    const repeats = / *"a".*"a":/.test(text); // all values of a repeated key need room for a while
    for (let room = 0; room <= whole.status + 4; room += 1) {
      const { refusal, bytes } = transcode(new JsonTranscoder([]), record, room);
      if (room < whole.status) assert.is(refusal, 'full');
      else if (refusal !== 'full' || !repeats) assert.equal(Buffer.from(bytes), Buffer.from(whole.bytes));
    }
  });

JsonBytesSuite.run();
