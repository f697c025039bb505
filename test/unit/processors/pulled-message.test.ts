/** A pulled message says what the client would have said of it, and acks leave byte for byte, again after a lost connection. */
import { headers as clientHeaders } from 'nats';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawMessage } from '../../../src/connections/raw-message.ts';
import type { NatsLink } from '../../../src/connections/nats-link.ts';
import { AckLines } from '../../../src/processors/jetstream/ack-lines.ts';
import { readHeaders } from '../../../src/processors/jetstream/pulled-headers.ts';
import { PulledMessage, replyOf } from '../../../src/processors/jetstream/pulled-message.ts';
import { readStatus } from '../../../src/processors/jetstream/pull-status.ts';

const Pulled = suite('PulledMessage');

function rawOf(reply: string, block = '', payload = 'p', subject = 's'): RawMessage {
  // oxlint-disable-line max-params -- parts of one message
  const parts = [subject, reply, block, payload].map((part) => Buffer.from(part));
  const ends = parts.map((_, index) => 3 + parts.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0));
  const bytes = Buffer.concat([Buffer.alloc(3), ...parts]);
  const [subjectEnd = 0, replyEnd = 0, payloadStart = 0, end = 0] = ends;
  return { bytes, subjectStart: 3, subjectEnd, replyStart: subjectEnd, replyEnd, start: replyEnd, payloadStart, end };
}

const replies = [
  { name: 'nine tokens', reply: '$JS.ACK.S.C.1.20.30.1700000000123456789.4' },
  { name: 'twelve tokens', reply: '$JS.ACK._.hash.S.C.1.20.30.1700000000123456789.4.random' },
  { name: 'eleven tokens', reply: '$JS.ACK.hub.hash.S.C.1.20.30.1700000000123456789.4' },
];
for (const { name, reply } of replies)
  Pulled(`reads a reply of ${name}`, () => {
    const message = new PulledMessage();
    // Another one before: what is remembered of it must not matter.
    for (const other of [...replies.map((each) => each.reply), reply, reply.replace('.1.20.', '.3.21.')]) {
      message.take(rawOf(other));
      message.drop();
    }
    assert.equal([message.redeliveries, message.sequence, message.consumerSequence, message.timeMs], [2, 21, 30, 1_700_000_000_123]);
    assert.is(message.handle.reply, reply.replace('.1.20.', '.3.21.'));
  });

Pulled('gives headers as the client does, and the same object for the same bytes', () => {
  const name = fc.constantFrom('A', 'B', 'a', 'Content-Type');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'grapheme', maxLength: 20 })), { maxLength: 6 }), (pairs) => {
      const given = pairs.filter(([, value]) => !/[\r\n]/.test(value));
      const block = `NATS/1.0\r\n${given.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`;
      const known = clientHeaders();
      for (const [key, value] of given) known.append(key, value);
      const expected = Object.fromEntries([...known].map(([key, values]) => [key, values.join(', ')]));
      assert.equal(readHeaders(Buffer.from(block)), expected);
      const message = new PulledMessage();
      message.take(rawOf(replies[0]!.reply, block));
      const first = message.headers();
      message.take(rawOf(replies[0]!.reply, block));
      assert.is(message.headers(), first);
      message.take(rawOf(replies[0]!.reply, 'NATS/1.0\r\nC: d\r\n\r\n', 'p', 'other'));
      assert.equal([message.headers(), message.subject], [{ C: 'd' }, 'other']);
      message.take(rawOf(replies[0]!.reply));
      assert.equal(message.headers(), {});
    }),
  );
});

Pulled('keeps names of prototypes away', () => {
  assert.equal(Object.keys(readHeaders(Buffer.from('NATS/1.0\r\n__proto__: x\r\nconstructor: y\r\n\r\n'))), ['constructor']);
});

Pulled('reads what the broker says of a request', () => {
  const status = (block: string): unknown => readStatus(rawOf('', block, ''));
  assert.equal(status('NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\n\r\n'), { code: 100, said: 'Idle Heartbeat', left: 0 });
  assert.equal(status('NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 12\r\nNats-Pending-Bytes: 3\r\n\r\n'), {
    code: 408,
    said: 'Request Timeout',
    left: 12,
  });
  assert.equal(status('NATS/1.0 503\r\n\r\n'), { code: 503, said: '', left: 0 });
  assert.equal(status(''), { code: 0, said: '', left: 0 });
});

/** Of a link only the writer is used. */
function lineRig(): { readonly link: NatsLink; readonly written: () => string; readonly up: (yes: boolean) => void } {
  let text = '';
  const writer = { writeBuilt: (bytes: Uint8Array) => void (text += Buffer.from(bytes).toString('latin1')), flush: () => undefined };
  const link = { writer: writer as typeof writer | null };
  return {
    link: link as unknown as NatsLink,
    written: () => {
      const all = text;
      text = '';
      return all;
    },
    up: (yes) => void (link.writer = yes ? writer : null),
  };
}

Pulled('acks leave whole, in order, and once more when the connection is back', async () => {
  const { link, written, up } = lineRig();
  const lines = new AckLines(link);
  const body = Buffer.from('+ACK');
  const raw = rawOf(replies[0]!.reply);
  lines.addFrom(raw.bytes, raw.replyStart, raw.replyEnd, body);
  lines.add('ü'.repeat(3), Buffer.from('+TERM because of'));
  await Promise.resolve();
  const all = `PUB ${replyOf(raw)} 4\r\n+ACK\r\nPUB üüü 16\r\n+TERM because of\r\n`;
  assert.is(written(), all);
  up(false);
  lines.add('late', body); // The socket is gone, and this is not known yet.
  await Promise.resolve();
  assert.is(written(), '');
  up(true);
  lines.again();
  assert.is(written(), `${all}PUB late 4\r\n+ACK\r\n`);
});

Pulled('the newest acks are kept, whatever their number', () => {
  const { link, written } = lineRig();
  const lines = new AckLines(link);
  const count = 20_000;
  for (let index = 0; index < count; index++) lines.add(`subject.${index}`, Buffer.from('+ACK'));
  lines.write();
  const sent = written();
  assert.is(sent.split('PUB ').length - 1, count);
  lines.again();
  const again = written();
  assert.ok(sent.endsWith(again) && again.split('PUB ').length > 2_000);
});
Pulled.run();
