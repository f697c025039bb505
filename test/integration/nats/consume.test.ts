/** JetStream reading on a real server: from any start, by durable, with nak and term, and without gaps over a restart. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { NatsConnection } from '../../../src/connections/nats-library.ts';
import { connect } from '../../../src/connections/nats-library.ts';
import type { Broker, BrokerReader, ConsumeRequest } from '../../../src/processors/broker.ts';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Read } from './collector.ts';
import { Collector } from './collector.ts';
import { testOptions } from './options.ts';
import { outboundOf, RecordingListener } from './outbound.ts';

const Consume = suite('JetStream consume');
let server: TestServer;
let outside: NatsConnection;
let broker: Broker;
let listener: RecordingListener;
let number = 0;

const asked: ConsumeRequest = { filter: '>', durable: '', queue: '', start: { kind: 'all' }, maxInFlight: 100, ackWaitMs: 30_000, noAck: false, confirmAcks: false };
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

Consume.before(async () => {
  server = await startNatsServer();
  outside = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
});
Consume.before.each(async () => {
  const stream = `READ${++number}`;
  broker = createJetStreamBroker(testOptions({ servers: [`127.0.0.1:${server.port}`], stream, subjects: [`read${number}.>`] }));
  listener = new RecordingListener();
  await broker.open(listener);
  await broker.prepare([`read${number}.a`]);
});
Consume.after.each(() => broker.close());
Consume.after(async () => {
  await outside.close();
  await server.stop();
});

/** Stores `count` messages with the bodies 1 … count (or on from `from`) on the subjects a and b in turn. */
async function store(count: number, from = 1): Promise<void> {
  const before = listener.outcomes.size;
  for (let value = from; value < from + count; value++) {
    await waitFor('credit', () => broker.tryPublish(outboundOf(`read${number}.${value % 2 === 1 ? 'a' : 'b'}`, String(value), { 'Nats-Msg-Id': `m${value}`, Kind: 'number' }), value));
  }
  await waitFor('the acks', () => listener.outcomes.size === before + count);
}

async function reading(changes: Partial<ConsumeRequest>, onMessage?: (reader: () => BrokerReader, read: Read) => void): Promise<{ reader: BrokerReader; got: Collector }> {
  const got = new Collector();
  let reader: BrokerReader | null = null;
  if (onMessage !== undefined) got.onMessage = (read) => onMessage(() => reader!, read);
  reader = await broker.consume({ ...asked, ...changes }, got);
  return { reader, got };
}

Consume('reads everything from the start with subject, sequence, time, headers', async () => {
  await store(250);
  const { reader, got } = await reading({ maxInFlight: 64 }, (self, read) => queueMicrotask(() => self().ack(read.handle)));
  await waitFor('all', () => got.read.length === 250);
  assert.equal(got.sequences, range(1, 250));
  const first = got.read[0]!;
  assert.equal([first.subject, first.text, first.id, first.redeliveries], [`read${number}.a`, '1', 'm1', 0]);
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
    await store(20);
    const { got } = await reading({ start });
    await store(2, 21);
    await waitFor('the last', () => got.sequences.includes(22));
    assert.equal(got.sequences, expected);
  });

Consume('filters by subject, without acks too', async () => {
  await store(30);
  const { got } = await reading({ filter: `read${number}.b`, noAck: true, maxInFlight: 4 });
  await waitFor('the even ones', () => got.read.length === 15);
  assert.equal(got.sequences, range(1, 15).map((half) => half * 2));
});

Consume('goes on where a durable stopped, and each reader of a queue gets its share', async () => {
  await store(40);
  const acking = (self: () => BrokerReader, read: Read): void => {
    if (read.sequence <= 15) queueMicrotask(() => self().ack(read.handle));
  };
  const first = await reading({ durable: 'billing', maxInFlight: 15, confirmAcks: true }, acking);
  await waitFor('fifteen', () => first.got.read.length >= 15);
  await first.reader.flush();
  await first.reader.close();
  const share = (self: () => BrokerReader, read: Read): void => queueMicrotask(() => self().ack(read.handle));
  const one = await reading({ queue: 'billing', maxInFlight: 5 }, share);
  const two = await reading({ durable: 'billing', maxInFlight: 5 }, share);
  const distinct = (): number[] => [...new Set([...one.got.sequences, ...two.got.sequences])].sort((a, b) => a - b);
  await store(40, 41);
  await waitFor('the rest', () => distinct().filter((sequence) => sequence > 40).length === 40);
  assert.ok(one.got.read.length > 0 && two.got.read.length > 0);
  assert.ok(!distinct().some((sequence) => sequence <= 15), 'what was acked stays acked');
});

Consume('brings a nak again after its delay, a term never, an unacked one after the ack wait', async () => {
  await store(3);
  const delayMs = 150;
  const { reader, got } = await reading({ ackWaitMs: 400 });
  await waitFor('three', () => got.read.length === 3);
  const nakAt = performance.now();
  reader.nak(got.read[0]!.handle, delayMs);
  reader.term(got.read[1]!.handle, 'not\r\nwanted');
  reader.ack(got.read[1]!.handle);
  await waitFor('both again', () => got.read.length === 5);
  assert.equal(got.read.slice(3).map(({ sequence, redeliveries }) => [sequence, redeliveries]), [[1, 1], [3, 1]]);
  assert.ok(performance.now() - nakAt >= delayMs - 5);
});

Consume('working holds an unacked message back past its ack wait', async () => {
  await store(2);
  const { reader, got } = await reading({ ackWaitMs: 300 });
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
  await store(50);
  const { reader, got } = await reading({ maxInFlight: 10 });
  await waitFor('ten', () => got.read.length === 10);
  reader.pause();
  for (const { handle } of got.read.slice(0, 10)) reader.ack(handle);
  await reader.flush();
  assert.is(got.read.length, 10);
  reader.resume();
  await waitFor('ten more', () => got.read.length === 20);
});

const restarts = [
  { name: 'with acks', changes: {}, ack: true },
  { name: 'with a durable', changes: { durable: 'd' }, ack: true },
  { name: 'without acks', changes: { noAck: true }, ack: false },
] as const;
for (const { name, changes, ack } of restarts)
  Consume(`reads each message over a restart of the server, ${name}`, async () => {
    await store(3_000);
    const seen = new Set<number>();
    let kill = (): void => undefined;
    const killed = new Promise<void>((resolve) => (kill = resolve));
    const { got } = await reading({ ...changes, maxInFlight: 200, ackWaitMs: 1_000 }, (self, read) => {
      seen.add(read.sequence);
      if (seen.size === 1_000) kill();
      if (ack) queueMicrotask(() => self().ack(read.handle));
    });
    await killed;
    await server.kill('SIGKILL');
    await server.restart();
    await waitFor('the connections', () => listener.states.at(-1) === 'open');
    await store(100, 3_001);
    await waitFor('all', () => seen.size === 3_100, 30_000);
    assert.is(got.error, undefined);
    if (!ack) assert.equal(got.sequences, range(1, 3_100));
  });

Consume('asks for large messages in portions: the server never takes the reader for slow', async () => {
  const count = 1_500; // 90 MB: more than the 64 MB that a server queues for one client.
  const message = outboundOf(`read${number}.a`, Buffer.alloc(60_000, 7));
  for (let token = 0; token < count; token++) await waitFor('credit', () => broker.tryPublish(message, token));
  await waitFor('the acks', () => listener.outcomes.size === count);
  let bytes = 0;
  let read = 0;
  const receiver = { message: ({ payload }: { payload: Uint8Array }) => void (read++, (bytes += payload.length)), ended: () => undefined };
  const reader = await broker.consume({ ...asked, noAck: true, maxInFlight: 2_000 }, receiver);
  await waitFor('all', () => read === count, 30_000);
  await reader.close();
  assert.is(bytes, count * 60_000);
  assert.not.match(server.log, /Slow Consumer/);
});

Consume('keeps acks given while the server is away, and sends them when it is back', async () => {
  await store(5);
  const { reader, got } = await reading({ durable: 'away' });
  await waitFor('five', () => got.read.length === 5);
  // Not SIGKILL: a server so killed may forget what it had delivered, and then acks mean nothing to it.
  await server.kill('SIGTERM');
  await waitFor('the disconnect', () => listener.states.at(-1) === 'reconnecting');
  for (const { handle } of got.read) reader.ack(handle);
  await server.restart();
  await waitFor('the connections', () => listener.states.at(-1) === 'open');
  const jsm = await outside.jetstreamManager({ checkAPI: false });
  const unacked = async (): Promise<number | undefined> => (await jsm.consumers.info(`READ${number}`, 'away').catch(() => null))?.num_ack_pending;
  await waitFor('the acks', async () => (await unacked()) === 0);
  assert.is(got.read.length, 5);
});

Consume('makes a lost nameless consumer again behind the last message', async () => {
  await store(10);
  const { got } = await reading({ maxInFlight: 5 }, (self, read) => queueMicrotask(() => self().ack(read.handle)));
  await waitFor('ten', () => got.read.length === 10);
  const jsm = await outside.jetstreamManager();
  const names = await jsm.consumers.list(`READ${number}`).next();
  await jsm.consumers.delete(`READ${number}`, names[0]!.name);
  await store(10, 11);
  await waitFor('twenty', () => got.read.length === 20);
  assert.equal(got.sequences, range(1, 20));
});

const ends = [
  { name: 'its stream is deleted', changes: {}, code: 'MILLRACE_STREAM_MISSING', remove: async (stream: string) => void (await (await outside.jetstreamManager()).streams.delete(stream)) },
  { name: 'its durable is deleted', changes: { durable: 'gone' }, code: 'MILLRACE_BROKER', remove: async (stream: string) => void (await (await outside.jetstreamManager()).consumers.delete(stream, 'gone')) },
];
for (const { name, changes, code, remove } of ends)
  Consume(`ends with an error when ${name}`, async () => {
    await store(2);
    const { got } = await reading(changes);
    await waitFor('two', () => got.read.length === 2);
    await remove(`READ${number}`);
    const error = await waitFor('the end', () => got.error);
    assert.is(error.code, code);
  });

const refused: { name: string; changes: Partial<ConsumeRequest>; code: string }[] = [
  { name: 'a durable with a dot', changes: { durable: 'a.b' }, code: 'MILLRACE_USAGE' },
  { name: 'a filter outside of the stream', changes: { filter: 'elsewhere.>' }, code: 'MILLRACE_SUBJECT_NOT_IN_STREAM' },
];
for (const { name, changes, code } of refused)
  Consume(`refuses ${name}`, async () => {
    const error = await reading(changes).then(() => null, (thrown: MillraceError) => thrown);
    assert.is(error?.code, code);
  });

if (requireServer('nats-server') !== null) Consume.run();
