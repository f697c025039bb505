/** JetStream reading on a real server: from any start, by durable, with nak and term; and how a read ends or is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { BrokerReader, ConsumeRequest } from '../../../src/processors/broker.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Read } from './collector.ts';
import { range, ReadingRig } from './reading-rig.ts';

const Consume = suite('JetStream consume');
const rig = new ReadingRig();
rig.serve(Consume);

Consume('reads everything from the start with subject, sequence, time, headers', async () => {
  await rig.store(250);
  const { reader, got } = await rig.reading({ maxInFlight: 64 }, (self, read) => queueMicrotask(() => self().ack(read.handle)));
  await waitFor('all', () => got.read.length === 250);
  assert.equal(got.sequences, range(1, 250));
  const first = got.read[0]!;
  assert.equal([first.subject, first.text, first.id, first.redeliveries], [`read${rig.number}.a`, '1', 'm1', 0]);
  assert.is(first.headers['Kind'], 'number');
  assert.ok(Math.abs(Date.now() - first.timeMs) < 60_000);
  await reader.flush();
  await reader.close();
  await reader.close();
  assert.is(got.error, undefined);
});

const starts = [
  { name: 'new', start: { kind: 'new' }, expected: [21, 22] },
  { name: 'last', start: { kind: 'last' }, expected: [20, 21, 22] },
  { name: 'a sequence', start: { kind: 'sequence', sequence: 18 }, expected: [18, 19, 20, 21, 22] },
  { name: 'a time', start: { kind: 'time', time: new Date(0) }, expected: range(1, 22) },
] as const;
for (const { name, start, expected } of starts)
  Consume(`starts at ${name}`, async () => {
    await rig.store(20);
    const { got } = await rig.reading({ start });
    await rig.store(2, 21);
    await waitFor('the last', () => got.sequences.includes(22));
    assert.equal(got.sequences, expected);
  });

Consume('filters by subject, without acks too', async () => {
  await rig.store(30);
  const { got } = await rig.reading({ filter: `read${rig.number}.b`, noAck: true, maxInFlight: 4 });
  await waitFor('the even ones', () => got.read.length === 15);
  assert.equal(
    got.sequences,
    range(1, 15).map((half) => half * 2),
  );
});

Consume('goes on where a durable stopped, and each reader of a queue gets its share', async () => {
  await rig.store(40);
  const acking = (self: () => BrokerReader, read: Read): void => {
    if (read.sequence <= 15) queueMicrotask(() => self().ack(read.handle));
  };
  const first = await rig.reading({ durable: 'billing', maxInFlight: 15, confirmAcks: true }, acking);
  await waitFor('fifteen', () => first.got.read.length >= 15);
  await first.reader.flush();
  await first.reader.close();
  const share = (self: () => BrokerReader, read: Read): void => queueMicrotask(() => self().ack(read.handle));
  const one = await rig.reading({ queue: 'billing', maxInFlight: 5 }, share);
  const two = await rig.reading({ durable: 'billing', maxInFlight: 5 }, share);
  const distinct = (): number[] => [...new Set([...one.got.sequences, ...two.got.sequences])].sort((a, b) => a - b);
  await rig.store(40, 41);
  await waitFor('the rest', () => distinct().filter((sequence) => sequence > 40).length === 40);
  assert.ok(one.got.read.length > 0 && two.got.read.length > 0);
  assert.ok(!distinct().some((sequence) => sequence <= 15), 'what was acked stays acked');
});

Consume('brings a nak again after its delay, a term never, an unacked one after the ack wait', async () => {
  await rig.store(3);
  const delayMs = 150;
  const { reader, got } = await rig.reading({ ackWaitMs: 400 });
  await waitFor('three', () => got.read.length === 3);
  const nakAt = performance.now();
  reader.nak(got.read[0]!.handle, delayMs);
  reader.term(got.read[1]!.handle, 'not\r\nwanted');
  reader.ack(got.read[1]!.handle);
  await waitFor('both again', () => got.read.length === 5);
  assert.equal(
    got.read.slice(3).map(({ sequence, redeliveries }) => [sequence, redeliveries]),
    [
      [1, 1],
      [3, 1],
    ],
  );
  assert.ok(performance.now() - nakAt >= delayMs - 5);
});

Consume('working holds an unacked message back past its ack wait', async () => {
  await rig.store(2);
  const { reader, got } = await rig.reading({ ackWaitMs: 300 });
  await waitFor('two', () => got.read.length === 2);
  const held = setInterval(() => reader.working(got.read[0]!.handle), 50);
  try {
    await waitFor('the other one twice', () => got.sequences.filter((sequence) => sequence === 2).length === 3);
    assert.is(got.sequences.filter((sequence) => sequence === 1).length, 1);
  } finally {
    clearInterval(held);
  }
});

Consume('hands over no more than maxInFlight without acks, and nothing new while paused', async () => {
  await rig.store(50);
  const { reader, got } = await rig.reading({ maxInFlight: 10 });
  await waitFor('ten', () => got.read.length === 10);
  reader.pause();
  for (const { handle } of got.read.slice(0, 10)) reader.ack(handle);
  await reader.flush();
  assert.is(got.read.length, 10);
  reader.resume();
  await waitFor('ten more', () => got.read.length === 20);
});

const ends = [
  {
    name: 'its stream is deleted',
    changes: {},
    code: 'MILLRACE_STREAM_MISSING',
    remove: async (stream: string) => void (await (await rig.outside.jetstreamManager()).streams.delete(stream)),
  },
  {
    name: 'its durable is deleted',
    changes: { durable: 'gone' },
    code: 'MILLRACE_BROKER',
    remove: async (stream: string) => void (await (await rig.outside.jetstreamManager()).consumers.delete(stream, 'gone')),
  },
];
for (const { name, changes, code, remove } of ends)
  Consume(`ends with an error when ${name}`, async () => {
    await rig.store(2);
    const { got } = await rig.reading(changes);
    await waitFor('two', () => got.read.length === 2);
    await remove(`READ${rig.number}`);
    const error = await waitFor('the end', () => got.error);
    assert.is(error.code, code);
  });

const refused: { name: string; changes: Partial<ConsumeRequest>; code: string }[] = [
  { name: 'a durable with a dot', changes: { durable: 'a.b' }, code: 'MILLRACE_USAGE' },
  { name: 'a filter rig.outside of the stream', changes: { filter: 'elsewhere.>' }, code: 'MILLRACE_SUBJECT_NOT_IN_STREAM' },
];
for (const { name, changes, code } of refused)
  Consume(`refuses ${name}`, async () => {
    const error = await rig.reading(changes).then(
      () => null,
      (thrown: MillraceError) => thrown,
    );
    assert.is(error?.code, code);
  });

if (requireServer('nats-server') !== null) Consume.run();
