/** What each splitter hands out, line numbers and refused places included; and where a source goes on after a record that is too long. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Format } from '../../../src/api/options.ts';
import { createCutter } from '../../../src/codec/cutter.ts';
import { createSplitter } from '../../../src/codec/splitter.ts';

const SplitSuite = suite('createSplitter');

function split(format: Format, text: string, atStart = false): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const splitter = createSplitter(format, { atStart });
  const records: string[] = [];
  for (let at = splitter.next(bytes, 0, bytes.length); at !== -1; at = splitter.next(bytes, at, bytes.length)) {
    records.push(`${splitter.recordLine}:${bytes.toString('latin1', splitter.recordStart, splitter.recordEnd)}`);
  }
  return [...records, `${splitter.lines}`];
}

const BOM = '\xef\xbb\xbf';
const cases: readonly {
  readonly name: string;
  readonly format: Format;
  readonly text: string;
  readonly want: readonly string[];
  readonly atStart?: boolean;
}[] = [
  { name: 'nothing', format: 'ndjson', text: '', want: ['0'] },
  { name: 'counts blank lines as lines, not as records', format: 'ndjson', text: '1\r\n\r\n \t\n2', want: ['0:1', '3:2', '3'] },
  { name: 'keeps a line of spaces in text', format: 'lines', text: 'a\n  \n\nb\n', want: ['0:a', '1:  ', '3:b', '4'] },
  { name: 'skips a byte order mark at the start of a source', format: 'ndjson', text: `${BOM}1\n`, want: ['0:1', '1'], atStart: true },
  { name: 'keeps it elsewhere', format: 'ndjson', text: `${BOM}1\n`, want: [`0:${BOM}1`, '1'] },
  { name: 'strips one CR only', format: 'lines', text: 'a\r\r\n', want: ['0:a\r', '1'] },
  { name: 'counts the line breaks inside of cells', format: 'csv', text: '"a\nb",1\nc,2\n', want: ['0:"a\nb",1', '2:c,2', '3'] },
  { name: 'takes a quote inside a bare cell as text', format: 'csv', text: '5" pipe,1\nc,2', want: ['0:5" pipe,1', '1:c,2', '1'] },
  { name: 'hands out an unclosed cell', format: 'csv', text: 'a,"b\nc', want: ['0:a,"b\nc', '1'] },
  { name: 'takes a list apart', format: 'json', text: '[1, {"a":[2]},\n[3]\n]', want: ['0:1', '0:{"a":[2]}', '1:[3]', '2'] },
  { name: 'goes on in the middle of a list', format: 'json', text: ' ,[1],\n[2]', want: ['0:[1]', '1:[2]', '1'] },
  { name: 'finds nothing in empty lists', format: 'json', text: '[] [ ]\n', want: ['1'] },
  {
    name: 'ends values that touch',
    format: 'json',
    text: '{"a":1}{"b":2}"s"3 true[4]null',
    want: ['0:{"a":1}', '0:{"b":2}', '0:"s"', '0:3', '0:true', '0:4', '0:null', '0'],
  },
  { name: 'hands out garbage between values', format: 'json', text: '{} x} {}', want: ['0:{}', '0:x', '0:}', '0:{}', '0'] },
  { name: 'makes one bad record of two without a comma', format: 'json', text: '[1 2, 3]', want: ['0:1 2', '0:3', '0'] },
  { name: 'hands out the comma that has no element behind', format: 'json', text: '[1,,2,]', want: ['0:1', '0:,', '0:2', '0:,', '0'] },
  { name: 'hands out the bracket that has no element behind', format: 'json', text: '[,1]', want: ['0:[', '0:1', '0'] },
  { name: 'hands out what is cut off', format: 'json', text: '[{"a":"]}\\"', want: ['0:{"a":"]}\\"', '0'] },
  { name: 'hands out a list that only begins', format: 'json', text: '[ ', want: ['0:[', '0'] },
  { name: 'ignores brackets in strings', format: 'json', text: '["[,]","\\\\"]', want: ['0:"[,]"', '0:"\\\\"', '0'] },
  { name: 'splits values', format: 'msgpack', text: '\x01\x92\x01\xa1x\xc0', want: ['0:\x01', '0:\x92\x01\xa1x', '0:\xc0', '0'] },
  {
    name: 'hands out the rest after a byte no value begins with',
    format: 'msgpack',
    text: '\x01\xc1\x01\x02',
    want: ['0:\x01', '0:\xc1\x01\x02', '0'],
  },
  {
    name: 'hands out a claim of more than there is',
    format: 'msgpack',
    text: '\xdd\xff\xff\xff\xff\x01',
    want: ['0:\xdd\xff\xff\xff\xff\x01', '0'],
  },
];

for (const { name, format, text, want, atStart } of cases)
  SplitSuite(`${format}: ${name}`, () => assert.equal(split(format, text, atStart), want));

const resyncs: readonly {
  readonly name: string;
  readonly format: Format;
  readonly pieces: readonly string[];
  readonly want: readonly number[];
}[] = [
  { name: 'after the next line break', format: 'ndjson', pieces: ['aaaa', 'aa\nb'], want: [-1, 3] },
  { name: 'after the next line break, quoted or not', format: 'csv', pieces: ['"aaa', 'a\nb'], want: [-1, 2] },
  { name: 'where the value ends by its structure', format: 'json', pieces: ['{"a":[1,"}', '"],"b":{}} {"c":1}'], want: [-1, 10] },
  { name: 'at the comma of a list', format: 'json', pieces: ['[{"a":1', '},{"b":2}]'], want: [-1, 1] },
  { name: 'at a brace that begins a line', format: 'json', pieces: ['{"a":{"b":1\n', '{"c":2}\n'], want: [-1, 0] },
  { name: 'after a string that was never closed', format: 'json', pieces: ['{"a":"b}\n{"c":2}\n'], want: [9] },
  {
    name: 'after the value, whose head may be cut anywhere',
    format: 'msgpack',
    pieces: ['\x92\xdb\x00\x00', '\x00\x03ab', 'c\xc4\x01', 'x\x07'],
    want: [-1, -1, -1, 1],
  },
  { name: 'never after a byte no value begins with', format: 'msgpack', pieces: ['\x92\xc1', '\x01\x01\x01'], want: [-1, -1] },
];

for (const { name, format, pieces, want } of resyncs) {
  SplitSuite(`${format}: resync goes on ${name}`, () => {
    const cutter = createCutter(format);
    const bytes = pieces.map((piece) => Buffer.from(piece, 'latin1'));
    assert.is(cutter.cut(bytes[0]!, 0, format === 'json' && pieces.length === 1 ? 8 : bytes[0]!.length, false), 0);
    assert.equal(
      bytes.map((piece) => cutter.resync(piece, 0, piece.length)),
      want,
    );
  });
}

SplitSuite('json: ten thousand brackets are one record, however they come', () => {
  const bytes = Buffer.from(`{"a":${'['.repeat(10_000)}`);
  const cutter = createCutter('json');
  for (let end = 1; end < bytes.length; end += 97) assert.is(cutter.cut(bytes, 0, end, false), 0);
  assert.is(cutter.cut(bytes, 0, bytes.length, true), bytes.length);
});

SplitSuite('json: white space without end is not kept for later', () => {
  assert.is(createCutter('json').cut(Buffer.from(' \n '), 0, 3, false), 3);
});

SplitSuite.run();
