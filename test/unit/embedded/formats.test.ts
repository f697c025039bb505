/** Filters, header blocks, keys and records: the small formats a store is made of. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileFilter, filterFault } from '../../../src/api/subject-filter.ts';
import { findHeader, parseHeaderBlock } from '../../../src/processors/embedded/header-block.ts';
import {
  RECORD_HEADER_BYTES,
  RecordView,
  sequenceKeys,
  writeBytesBefore,
  writeRecordHeader,
} from '../../../src/processors/embedded/record.ts';

const Suite = suite('embedded formats');

const filters: readonly { readonly filter: string; readonly yes: readonly string[]; readonly no: readonly string[] }[] = [
  { filter: '>', yes: ['a', 'a.b', 'a.b.c'], no: [] },
  { filter: 'a', yes: ['a'], no: ['b', 'a.b', 'aa'] },
  { filter: 'a.b', yes: ['a.b'], no: ['a', 'a.b.c', 'axb'] },
  { filter: '*', yes: ['a', 'bcd'], no: ['a.b'] },
  { filter: 'a.*', yes: ['a.b'], no: ['a', 'a.b.c', 'b.b'] },
  { filter: '*.b', yes: ['a.b'], no: ['b', 'a.c', 'a.b.c'] },
  { filter: 'a.>', yes: ['a.b', 'a.b.c'], no: ['a', 'ab.c', 'a.'] },
  { filter: '*.b.>', yes: ['a.b.c', 'x.b.c.d'], no: ['a.b', 'a.c.c'] },
  { filter: 'a.*.c.*', yes: ['a.b.c.d'], no: ['a.b.c', 'a.b.d.d'] },
];
for (const { filter, yes, no } of filters)
  Suite(`filter ${filter}`, () => {
    const matches = compileFilter(filter);
    assert.is(filterFault(filter), null);
    for (const subject of yes) assert.ok(matches(subject), subject);
    for (const subject of no) assert.not(matches(subject), subject);
  });

for (const filter of ['', ' ', 'a b', 'a..b', '.a', 'a.', 'a*', 'a.>.b', '>a', 'a.b\n'])
  Suite(`is no filter: ${JSON.stringify(filter)}`, () => assert.type(filterFault(filter), 'string'));

const blocks: readonly { readonly name: string; readonly block: string; readonly headers: object }[] = [
  { name: 'none', block: '', headers: {} },
  { name: 'two', block: 'NATS/1.0\r\nA: 1\r\nB: x y\r\n\r\n', headers: { A: '1', B: 'x y' } },
  { name: 'a value with a colon', block: 'NATS/1.0\r\nTime: 12:30\r\n\r\n', headers: { Time: '12:30' } },
  { name: 'no space and an empty value', block: 'NATS/1.0\r\nA:1\r\nB:\r\n\r\n', headers: { A: '1', B: '' } },
  { name: 'a line that is none', block: 'NATS/1.0\r\nrubbish\r\n: no name\r\nA: 1\r\n\r\n', headers: { A: '1' } },
  {
    name: 'names of Object',
    block: 'NATS/1.0\r\n__proto__: x\r\nconstructor: y\r\n\r\n',
    headers: { ['__proto__']: 'x', constructor: 'y' },
  },
];
for (const { name, block, headers } of blocks)
  Suite(`header block with ${name}`, () => assert.equal(Object.entries(parseHeaderBlock(block)), Object.entries(headers)));

Suite('finds a header whatever the case of its name', () => {
  const headers = parseHeaderBlock('NATS/1.0\r\nContent-Type: a\r\ncontent-type: b\r\n\r\n');
  assert.equal(
    ['Content-Type', 'content-type', 'CONTENT-TYPE', 'toString'].map((name) => findHeader(headers, name)),
    ['a', 'b', 'a', undefined],
  );
});

Suite('keys keep the order of sequences, up to 2^53', () => {
  const key = (sequence: number): Buffer => {
    const bytes = Buffer.alloc(8);
    sequenceKeys.writeKey(sequence, bytes, 0);
    return bytes;
  };
  const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(sequence, sequence, (a, b) => {
      assert.is(sequenceKeys.readKey(key(a), 0), a);
      assert.is(Math.sign(Buffer.compare(key(a), key(b))), Math.sign(a - b));
    }),
  );
});

Suite('a record comes back as it was written', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), fc.nat(), fc.nat(), (subject, payload, timeMs, count) => {
      const subjectBytes = Buffer.byteLength(subject);
      const bytes = Buffer.concat([Buffer.alloc(RECORD_HEADER_BYTES), Buffer.from(subject), Buffer.from('HB'), payload]);
      writeRecordHeader(bytes, 0, { timeMs, subjectBytes, headerBytes: 2, count });
      writeBytesBefore(bytes, 0, 2 ** 40 + count);
      const view = new RecordView().read(bytes);
      assert.equal(
        [view.subject(), view.headerBlock(), view.timeMs, view.count, view.bytesBefore],
        [subject, 'HB', timeMs, count, 2 ** 40 + count],
      );
      assert.equal([...view.payload()], [...payload]);
    }),
  );
});

const wrongRecords = [
  { name: 'of another format', bytes: Buffer.alloc(40, 9) },
  { name: 'shorter than its header', bytes: Buffer.from([1, 0, 0]) },
  { name: 'shorter than it says', bytes: Buffer.concat([Buffer.from([1, 0, 255, 0]), Buffer.alloc(28)]) },
];
for (const { name, bytes } of wrongRecords)
  Suite(`refuses a record ${name}`, () => assert.throws(() => new RecordView().read(bytes), /a stored message/u));

Suite.run();
