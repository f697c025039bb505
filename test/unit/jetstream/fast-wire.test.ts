/** The fast ingest protocol as text: replies are built and answers are read as the broker writes them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Msg } from '../../../src/connections/nats-library.ts';
import { FastPending } from '../../../src/processors/jetstream/fast-pending.ts';
import { batchOf, FastOp, FastReply, hasBrokerHeader, readFastAnswer } from '../../../src/processors/jetstream/fast-wire.ts';

const Wire = suite('fast ingest wire');
const answer = (data: string, code = 0): Msg =>
  ({
    subject: '_INBOX.x.k3.500.fail.41.1.$FI',
    data: Buffer.from(data),
    headers: code === 0 ? undefined : { code, description: 'No Responders' },
  }) as unknown as Msg;

Wire('writes sequence and op into the reply subject', () => {
  const reply = new FastReply('_INBOX.x.', 'k3', 500);
  const text = (sequence: number, op: 0 | 1 | 3 | 4): string => Buffer.from(reply.bytes.subarray(0, reply.put(sequence, op))).toString();
  assert.is(text(1, FastOp.start), '_INBOX.x.k3.500.fail.1.0.$FI');
  assert.is(text(12_345, FastOp.append), '_INBOX.x.k3.500.fail.12345.1.$FI');
  assert.is(text(2, FastOp.end), '_INBOX.x.k3.500.fail.2.3.$FI');
  assert.is(batchOf(text(77, FastOp.ping)), 'k3');
});

for (const [data, expected] of [
  ['{"type":"ack","seq":500,"msgs":250}', { kind: 'ack', sequence: 500, messages: 250 }],
  ['{"stream":"S","seq":912,"batch":"k3","count":41}', { kind: 'done', count: 41, sequence: 912 }],
  ['{"error":{"code":400,"err_code":10208,"description":"unknown"},"stream":"S","seq":0}', { kind: 'gone' }],
  [
    '{"error":{"code":400,"err_code":10054,"description":"size"},"stream":"S","seq":0}',
    { kind: 'refused', of: 41, refusal: { status: 400, code: 10_054, description: 'size' } },
  ],
  [
    '{"type":"err","seq":7,"error":{"code":400,"err_code":10071,"description":"last"}}',
    { kind: 'refused', of: 7, refusal: { status: 400, code: 10_071, description: 'last' } },
  ],
  ['{"type":"gap","last_seq":3,"seq":9}', { kind: 'note' }],
  ['not JSON', { kind: 'note' }],
] as const)
  Wire(`reads ${data}`, () => {
    assert.equal(readFastAnswer(answer(data)), expected);
  });

Wire('reads a status without a body', () => {
  assert.equal(readFastAnswer(answer('', 503)), {
    kind: 'refused',
    of: 41,
    refusal: { status: 503, code: 0, description: 'No Responders' },
  });
});

for (const [block, expected] of [
  ['NATS/1.0\r\nContent-Type: application/msgpack\r\n\r\n', false],
  ['NATS/1.0\r\nContent-Type: application/msgpack\r\nNats-Msg-Id: 1\r\n\r\n', true],
  ['NATS/1.0\r\nnats-expected-stream: S\r\n\r\n', true],
  ['NATS/1.0\r\nX: nats-like\r\nNation: SE\r\n\r\n', false],
] as const)
  Wire(`says ${expected} for ${JSON.stringify(block)}`, () => {
    const memory = Buffer.from(`##${block}Nats-Msg-Id: in the payload`);
    assert.is(hasBrokerHeader(memory, 2, 2 + block.length), expected);
  });

Wire('keeps what is not acked, in order, over the end of its arrays', () => {
  const pending = new FastPending();
  for (let token = 1; token <= 5_000; token++) {
    assert.is(
      pending.add(
        { subject: 's', memory: Buffer.from(`${token}`), start: 0, payloadStart: 0, end: 1, count: 1, expectedSequence: -1 },
        token,
      ),
      token,
    );
    if (token > 1_000) assert.is(pending.take(), token - 1_000);
  }
  assert.equal([pending.size, pending.bytes], [1_000, 1_000]);
  assert.equal(
    pending.reset().map(({ token }) => token),
    Array.from({ length: 1_000 }, (_, index) => 4_001 + index),
  );
  assert.equal([pending.size, pending.sent, pending.bytes], [0, 0, 0]);
});

Wire.run();
