/** What the kernel takes has the bytes, picks, places and hashes that the TypeScript stages give; what they refuse it never takes. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BAD_UTF8, LENGTHS, linesText, VALUES } from './json-texts.ts';
import { KernelRig } from './kernel-rig.ts';
import { KernelId } from '../../../workers/kernel-layout.ts';

const EncodingSuite = suite('Kernel: encoding');
const rig = new KernelRig();

for (const text of VALUES)
  EncodingSuite(`a value: ${JSON.stringify(text).slice(0, 60)}`, () => {
    rig.aim([]);
    rig.take(Buffer.from(`${text}\n`));
    for (const record of [`{"a":${text}}`, `{"a":${text},"b":[${text}, ${text} ]}`, `{"a": ${text} }`, `{"x":{"a":${text}}}`]) {
      // The second time by speculation, and behind a record that was left.
      rig.take(Buffer.from(`${record}\n${record}\n{"a":1}\n${record}\r\n${record}`));
    }
  });

EncodingSuite('takes what is plain', () => {
  rig.aim([]);
  const plain = [
    '{}',
    '{"a":"b"}',
    '{"a": -1.5e3}',
    ' {"a":[1,{"b":[]}]} ',
    '{"a":"é \\n \\ud83d\\ude00"}',
    '{"é":1,"\\u0061":2,"b\\n":{"€":"€"}}',
    '{"a":   true}',
    '{"a":123456789012345678}',
  ];
  for (const record of plain) for (const end of ['', '\n', '\r\n']) assert.ok(rig.takes(record + end), record);
});

for (const bytes of BAD_UTF8)
  EncodingSuite(`bytes that are no UTF-8: ${Buffer.from(bytes).toString('hex')}`, () => {
    for (const before of ['', 'é', 'x'.repeat(14), 'x'.repeat(30), 'x'.repeat(40)]) {
      const text = Buffer.concat([Buffer.from(`{"a":"${before}`), Buffer.from(bytes), Buffer.from('"}\n')]);
      assert.not.ok(rig.takes(text));
      assert.not.ok(rig.takes(Buffer.concat([text.subarray(0, -3)]))); // The run ends within the sequence.
    }
  });

EncodingSuite('strings around each width', () => {
  rig.aim([]);
  for (const length of LENGTHS) {
    for (const tail of ['', 'é', '€', '😀', '\\n', '\\u00e9', '\\ud83d\\ude00']) {
      const text = 'x'.repeat(Math.max(0, length - Buffer.byteLength(tail))) + tail;
      assert.ok(rig.takes(`{"a":"${text}","b":1}\n`), `${length} ${tail}`);
      rig.takes(`{"${text.slice(-length)}":1}\n`);
    }
  }
});

EncodingSuite('lists and maps around each width of their heads, with picks behind and inside', () => {
  rig.aim([['m', 'k1'], ['z']]);
  for (const count of [0, 1, 15, 16, 17, 31, 127, 128, 129, 255, 256, 257]) {
    const list = Array.from({ length: count }, () => '1').join(',');
    const map = Array.from({ length: count }, (_, index) => `"k${index}":${index}`).join(',');
    const record = `{"l":[${list}],"m":{${map}},"z":"end"}\n`;
    assert.is(rig.take(Buffer.from(record.repeat(3))), count <= 128 ? 3 : 0, `${count}`);
  }
  const large = new KernelRig({ slabBytes: 1_048_576 });
  for (const count of [65_535, 65_536]) large.take(Buffer.from(`{"l":[${'0,'.repeat(count - 1)}0],"z":1}\n`));
});

EncodingSuite('ids: numbers of every width in decimal, strings, the hash of the event', () => {
  const numbers = [0, 9, 10, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, 2 ** 53 - 1].flatMap((value) => [
    value,
    -value,
    -value - 1,
  ]);
  const ids = [
    ...numbers.map(String),
    '-0',
    '1e3',
    '1.5',
    '999999999999999999',
    '-999999999999999999',
    '100000000000000000',
    '"text"',
    'true',
    '""',
  ];
  const lines = Buffer.from(ids.map((id) => `{"id":${id},"x":[1,2]}\n`).join(''));
  rig.aim([['id']]);
  let { identified } = rig;
  rig.take(lines);
  assert.is(rig.identified - identified, ids.length - 4); // -0, 1.5, true and ""
  identified = rig.identified;
  rig.aim([], KernelId.hash);
  rig.take(lines);
  assert.is(rig.identified - identified, ids.length);
  for (let length = 0; length < 70; length += 1) rig.take(Buffer.from(`{"p":"${'q'.repeat(length)}"}`));
  rig.take(Buffer.from('{"id":123456789012}\n'.repeat(1_000))); // More than there is room for.
});

EncodingSuite('picks: nested, missing, null, moved by the heads around them', () => {
  const paths = [['id'], ['a', 'b', 'c'], ['a', 'x']];
  assert.ok(rig.aim(paths));
  const pad = Array.from({ length: 20 }, (_, index) => `"p${index}":0`).join(',');
  const records = [
    '{"id":"1","a":{"b":{"c":2},"x":3}}', '{"a":{"x":"three","b":{"c":"c"}},"id":"one"}', '{"id":null,"a":{"x":false}}', '{"a":1}', '{"id":5}', '{"b":{"id":"no"},"id":"yes"}', '{"id":""}',
    `{"id":"pad",${pad},"a":{"b":{"c":"in"},${pad},"x":1}}`, `{${pad},"a":{${pad},"b":{${pad},"c":"deep"},"x":"x"},"id":"last"}`, `{"id":"${'i'.repeat(31)}"}`, `{"id":"${'i'.repeat(32)}"}`, `{"id":"${'i'.repeat(255)}"}`,
    `{"id":"${'i'.repeat(256)}"}`, '{"a":[{"b":{"c":1}}],"id":"list"}', '{"id":{"x":1}}', '{"id":"é\\n"}', '{"a":{"a":{"b":{"c":9}}},"id":"t"}', '{"id":1.5}', '{"id":true}', '{"id":"1","id":"2"}',
  ]; // prettier-ignore
  for (const first of records) for (const second of records) rig.take(Buffer.from(`${first}\n${second}\n${first}\n`));
});

EncodingSuite('refuses to aim at paths that it cannot follow', () => {
  for (const paths of [
    [['0']],
    [['a', '1']],
    [[]],
    [['a'], ['a', 'b']],
    [['a', 'b'], ['a']],
    Array.from({ length: 9 }, (_, index) => [`p${index}`]),
    [['k'.repeat(3_000)]],
  ]) {
    assert.not.ok(rig.aim(paths), JSON.stringify(paths).slice(0, 40));
  }
  rig.aim([]);
});

EncodingSuite('places of records: blank lines, CRLF, spaces before, no end, more than one call can return', () => {
  rig.aim([]);
  const parts = [
    '',
    '\n',
    '\r\n',
    ' \n',
    '\t\r\n\n',
    '{"a":1}',
    ' {"a":1}',
    '{"a":1} ',
    '{"a":1}\r',
    '{"a":1',
    '\r{"a":1}\r{"a":2}',
    '\u000b',
  ];
  for (const a of parts) for (const b of parts) for (const c of parts) rig.take(Buffer.from(`${a}\n${b}${c}\n`));
  const many = '{"id":"x"}\n\n'.repeat(1_000);
  assert.is(rig.take(Buffer.from(many)), 1_000);
  rig.take(Buffer.from(`${many}{"id":\n${many}`));
});

for (const paths of [[], [['id']], [['id'], ['a', 'b'], ['c']]])
  EncodingSuite(`any lines, picking ${JSON.stringify(paths)}`, () => {
    fc.assert(
      fc.property(linesText, (text) => {
        rig.aim(paths);
        rig.take(Buffer.from(text));
      }),
      { numRuns: 1_500 },
    );
  });

EncodingSuite.run();
