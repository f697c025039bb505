/** Whatever the bytes, the kernel takes nothing that crosses the end of its run, writes nothing outside its output, and never traps. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawLayout, slabShape } from '../../../src/memory/layout.ts';
import { KernelStop, OUT_BEYOND, OUT_PER_IN, READ_BEYOND } from '../../../workers/kernel-layout.ts';
import { linesText } from './json-texts.ts';
import { KernelRig, STALE } from './kernel-rig.ts';

const BoundsSuite = suite('Kernel: bounds');
const rig = new KernelRig();

const RECORDS = [
  '{"id":"a-1","n":-12.5e3,"list":[1,22,[333,{"x":null}],true],"text":"plain enough for more than two chunks of it","é":"ü"}\n',
  '{"a":"caf\\u00e9 \\ud83d\\ude00 \\n é€😀","b":{"c":{"d":[[],{},""]}},"e":false}\r\n',
  '{"long":"' + 'y'.repeat(300) + '","z":123456789012345678}\n',
];

BoundsSuite('a record cut at every byte, with what would complete it right behind', () => {
  for (const record of RECORDS) {
    const whole = Buffer.from(record);
    for (let cut = 0; cut < whole.length; cut += 1) {
      const rest = Buffer.concat([whole.subarray(cut), Buffer.from(STALE)]);
      for (const stale of [
        rest,
        STALE,
        '"}}}]}\n',
        '}'.repeat(2_000),
        '0'.repeat(2_000),
        '"'.repeat(200),
        '{"id":'.repeat(300),
        '[['.repeat(900),
        ' '.repeat(2_000),
        '\\u0041'.repeat(300),
        'é'.repeat(900),
      ]) {
        rig.take(Buffer.concat([whole, whole.subarray(0, cut)]), { stale });
      }
    }
  }
});

BoundsSuite('a line break at every byte of a record', () => {
  for (const record of RECORDS) {
    for (let cut = 0; cut < record.length; cut += 1)
      rig.take(Buffer.from(`${record}${record.slice(0, cut)}\n${record.slice(cut)}${record}`));
  }
});

BoundsSuite('nested keys that are known, for as long as nothing ends them, behind the end', () => {
  const deep = (depth: number): string => `{"${'k'.repeat(35)}":`.repeat(depth);
  for (let depth = 1; depth < 60; depth += 1) {
    rig.aim([]);
    rig.take(Buffer.from(`${deep(58)}1${'}'.repeat(58)}\n${deep(depth)}`), { stale: `${deep(60)}1` });
    rig.take(Buffer.from(`${deep(depth)}`).subarray(0, 1), { stale: `${deep(60)}1`.slice(1) });
  }
});

BoundsSuite('any lines with bytes changed, cut out, doubled', () => {
  const edit = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[]:,0-.eu\n\r '))), fc.nat(3));
  fc.assert(
    fc.property(linesText, fc.array(edit, { maxLength: 4 }), (text, edits) => {
      let input = Buffer.from(text);
      for (const [place, byte, kind] of edits) {
        const at = place % (input.length + 1);
        const skipped = kind === 0 ? 1 : kind === 1 ? 3 : 0;
        const put = kind === 1 ? [] : kind === 3 ? [...input.subarray(at, at + 9)] : [byte];
        input = Buffer.concat([input.subarray(0, at), Buffer.from(put), input.subarray(at + skipped)]);
      }
      rig.take(input);
    }),
    { numRuns: 4_000 },
  );
});

BoundsSuite('random bytes', () => {
  const syntax = fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => Buffer.from(bytes.map((byte) => Buffer.from('{{{"""::,,}}[]01e-. \n\\ué'.repeat(11))[byte]!)));
  fc.assert(
    fc.property(fc.oneof(syntax, fc.uint8Array({ maxLength: 200 })), (bytes) => void rig.take(Buffer.from(bytes))),
    { numRuns: 6_000 },
  );
});

BoundsSuite('all the output that it may need, and not one byte less', () => {
  const record = `{"a":[${'-0,'.repeat(5_000)}-0]}`; // Nothing grows more.
  assert.ok(rig.takes(record));
  const { kernel, ring } = rig;
  const start = ring.start(0) + ring.shape(0).inStart;
  const end = start + record.length;
  const out = ring.layout.scratchStart;
  kernel.lines = 7;
  assert.is(kernel.run(start, end, out, out + OUT_PER_IN * record.length + OUT_BEYOND - 1), KernelStop.slow);
  assert.equal([kernel.rows, kernel.next, kernel.out, kernel.lines], [0, start, out, 7]);
});

BoundsSuite('a run at the end of the memory is left alone', () => {
  const { kernel, ring } = rig;
  const end = ring.layout.bytes;
  for (const record of ['{"a":1}\n', '{"a":"', '{"a":{']) {
    ring.bytes.set(Buffer.from(record), end - record.length);
    assert.is(kernel.run(end - record.length, end, ring.layout.scratchStart, ring.layout.scratchStart + 8_192), KernelStop.slow);
    assert.is(kernel.rows, 0);
  }
});

BoundsSuite('every slab of every ring has room behind its in area', () => {
  for (const slabBytes of [4_096, 65_536, 1_048_576]) {
    for (const eventBytesMax of [1_024, 1_048_576]) {
      const layout = drawLayout({ slabs: 2, slabBytes, workers: 1, eventBytesMax, windowBytes: 0 });
      for (const index of [0, 2]) {
        const shape = slabShape(layout, index);
        assert.ok(shape.bytes - shape.inStart - shape.inBytes >= READ_BEYOND);
      }
    }
  }
});

BoundsSuite('many keys, deep nesting and long keys are left or taken, never a trap', () => {
  const keys = (count: number, name: string): string => Array.from({ length: count }, (_, index) => `"${name}${index}":${index}`).join(',');
  const records = [
    `{${keys(2_000, 'k')}}`, `{${keys(128, 'a')}}`, `{${keys(129, 'a')}}`, `{"a":{${keys(127, 'b')}},${keys(127, 'c')}}`, `{"a":${'['.repeat(500)}${']'.repeat(500)}}`, `{"a":${'{"a":'.repeat(70)}1${'}'.repeat(71)}`,
    `{"${'k'.repeat(255)}":1}`, `{"${'k'.repeat(256)}":1}`, `{"a":[${Array.from({ length: 300 }, () => `{${keys(20, 'x')}}`).join(',')}]}`, `{"a":[${'[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6],'.repeat(400)}0]}`,
  ]; // prettier-ignore
  for (const first of records) for (const second of records) rig.take(Buffer.from(`${first}\n${second}\n{"a":1}\n${first}\n`));
});

BoundsSuite.run();
