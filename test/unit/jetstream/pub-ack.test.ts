/** The quick reading of an ack agrees with JSON.parse on every form a broker may send. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAnswer, readPubAck } from '../../../src/processors/jetstream/pub-ack.ts';

const Ack = suite('PubAck');
const cases = [
  { text: '{"stream":"S", "seq":17}', expected: { sequence: 17, duplicate: false } },
  { text: '{"stream":"S", "seq":17,"duplicate": true}', expected: { sequence: 17, duplicate: true } },
  { text: '{"stream":"S","domain":"hub", "seq":9007199254740991}', expected: { sequence: 9_007_199_254_740_991, duplicate: false } },
  { text: '{"stream":"S","duplicate":true,"seq":4}', expected: { sequence: 4, duplicate: true } },
  { text: '{"stream":"\\"seq\\":5","seq":6,"duplicate":false}', expected: { sequence: 6, duplicate: false } },
  { text: '{"seq":4,"stream":"S"}', expected: { sequence: 4, duplicate: false } },
  {
    text: '{"error":{"code":503,"err_code":10077,"description":"full"},"stream":"S","seq":0}',
    expected: { status: 503, code: 10_077, description: 'full' },
  },
  { text: '{"type":"x","error":{"code":400}}', expected: { status: 400, code: 0, description: '' } },
  { text: '', expected: null },
  { text: 'not json', expected: null },
  { text: '[]', expected: null },
  { text: 'null', expected: null },
];
for (const { text, expected } of cases)
  Ack(`reads ${text}`, () => {
    const into = { sequence: -1, duplicate: false };
    const quick = readPubAck(Buffer.from(text), 0, text.length, into);
    assert.equal(quick ? into : parseAnswer(Buffer.from(text)), expected);
  });

Ack('reads quickly what servers send, whatever the stream is called', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.boolean(), (stream, seq, duplicate) => {
      const text = `{"stream":${JSON.stringify(stream)}, "seq":${seq}${duplicate ? ',"duplicate": true' : ''}}`;
      const into = { sequence: -1, duplicate: false };
      const bytes = Buffer.from(text);
      assert.ok(readPubAck(bytes, 0, bytes.length, into));
      assert.equal(into, { sequence: seq, duplicate });
    }),
  );
});

Ack('reads one among others, and nothing beyond its end', () => {
  const texts = [
    '{"stream":"S","seq":12}',
    '{"stream":"S","seq":345,"duplicate":true}',
    '{"stream":"S","seq":67}',
    '{"stream":"S"',
    '"seq":8}',
  ];
  const bytes = Buffer.from(texts.join(''));
  let start = 0;
  const found = texts.map((text) => {
    const into = { sequence: -1, duplicate: false };
    const read = readPubAck(bytes, start, start + text.length, into);
    start += text.length;
    return read ? [into.sequence, into.duplicate] : null;
  });
  assert.equal(found, [[12, false], [345, true], [67, false], null, null]);
});

Ack('never throws on any bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      (bytes) => void (readPubAck(bytes, 0, bytes.length, { sequence: 0, duplicate: false }) || parseAnswer(bytes)),
    ),
  );
});

Ack.run();
