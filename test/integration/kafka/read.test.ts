/** Kafka, reading: start positions, filters, groups whose committed position waits for acks, rebalances, pauses, and records of others. */
import * as assert from 'uvu/assert';
import { Producer } from '@platformatic/kafka';
import { MillraceError } from '../../../src/api/errors.ts';
import { createKafkaBroker } from '../../../src/processors/kafka/broker.ts';
import type { Broker, ConsumeRequest } from '../../../src/processors/broker.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const KafkaReadSuite = timedSuite('kafka read', { timeoutMs: 60_000 });

let server: KafkaServer;
const opened: Broker[] = [];

async function connected(stream: string, changes: Parameters<typeof testOptions>[0] = {}): Promise<readonly [Broker, RecordingListener]> {
  const made = createKafkaBroker(testOptions({ kind: 'kafka', servers: [server.address], stream, ...changes }));
  const listening = new RecordingListener();
  await made.open(listening);
  await made.prepare([]);
  opened.push(made);
  return [made, listening];
}

async function send([broker, listener]: readonly [Broker, RecordingListener], subject: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) assert.is((await publishOne(broker, listener, outboundOf(subject, text))).kind, 'acked');
}

KafkaReadSuite.before(async () => {
  server = await startKafka();
});

KafkaReadSuite.after(async () => {
  await Promise.all(opened.map((broker) => broker.close()));
  await server.stop();
});

KafkaReadSuite('starts where it is told to', async () => {
  const own = await connected('starts');
  await send(own, 's.a', ['a', 'b', 'c']);
  const betweenMs = await waitFor('the next millisecond', () => Date.now());
  await waitFor('time to pass', () => Date.now() > betweenMs + 50);
  await send(own, 's.b', ['d']);
  await send(own, 's.a', ['e']);
  const starts: readonly { readonly start: ConsumeRequest['start']; readonly filter?: string; readonly texts: readonly string[] }[] = [
    { start: { kind: 'all' }, texts: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { start: { kind: 'last' }, texts: ['e', 'f'] },
    { start: { kind: 'last' }, filter: 's.b', texts: ['d'] },
    { start: { kind: 'sequence', sequence: 2 }, texts: ['c', 'd', 'e', 'f'] },
    { start: { kind: 'time', time: new Date(betweenMs + 25) }, texts: ['d', 'e', 'f'] },
    { start: { kind: 'time', time: new Date(betweenMs + 1_000_000) }, texts: ['f'] },
    { start: { kind: 'new' }, texts: ['f'] },
    { start: { kind: 'all' }, filter: 's.*', texts: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { start: { kind: 'all' }, filter: 's.a', texts: ['a', 'b', 'c', 'e', 'f'] },
  ];
  const collectors = starts.map(() => new Collector());
  const readers = await Promise.all(
    starts.map(({ start, filter = '>' }, index) => own[0].consume(request({ filter, start }), collectors[index]!)),
  );
  await send(own, 's.a', ['f']);
  await waitFor('the last', () => collectors.every(({ texts }, index) => texts.at(-1) === starts[index]!.texts.at(-1)));
  for (const [index, { start, texts }] of starts.entries()) assert.equal(collectors[index]!.texts, texts, start.kind);
  await Promise.all(readers.map((reader) => reader.close()));
});

KafkaReadSuite('resumes a durable at the lowest record that was not acked, in another process', async () => {
  const own = await connected('durable');
  await send(own, 'd', ['0', '1', '2', '3', '4']);
  const asked = request({ durable: 'billing', start: { kind: 'all' } });
  const [first] = await connected('durable');
  const collector = new Collector({ hold: true });
  const reader = await first.consume(asked, collector);
  await waitFor('all', () => collector.messages.length === 5);
  for (const { text, handle } of collector.messages) if (text !== '2') reader.ack(handle);
  await reader.flush();
  await first.close();
  const again = new Collector();
  again.reader = await own[0].consume(asked, again);
  await send(own, 'd', ['5']);
  await waitFor('the rest', () => again.texts.includes('5'));
  assert.equal(again.texts, ['2', '3', '4', '5']);
  await again.reader.close();
  const last = new Collector();
  const lastReader = await own[0].consume(asked, last);
  await send(own, 'd', ['6']);
  await waitFor('the newest', () => last.texts.includes('6'));
  assert.equal(last.texts, ['6']);
  await lastReader.close();
});

KafkaReadSuite('remembers where a durable began, though nothing was acked', async () => {
  const own = await connected('began');
  await send(own, 'b', ['old']);
  const asked = request({ durable: 'began', start: { kind: 'new' } });
  await (await own[0].consume(asked, new Collector())).close();
  await send(own, 'b', ['between']);
  const collector = new Collector();
  const reader = await own[0].consume(asked, collector);
  await waitFor('what came in between', () => collector.messages.length === 1);
  assert.equal(collector.texts, ['between']);
  await reader.close();
});

KafkaReadSuite('shares the partitions of a group, takes over those of a member that leaves, and loses nothing', async () => {
  const own = await connected('group', { partitions: 4, maxInFlightMessages: 10_000 });
  const [other] = await connected('group', { partitions: 4 });
  const members = [new Collector(), new Collector()];
  const asked = request({ queue: 'workers', start: { kind: 'all' } });
  members[0]!.reader = await own[0].consume(asked, members[0]!);
  members[1]!.reader = await other.consume(asked, members[1]!);
  const total = 400;
  const publish = async (from: number, to: number): Promise<void> => {
    for (let token = from; token < to; token++) assert.ok(own[0].tryPublish(outboundOf(`g.${token % 40}`, String(token)), token));
    await waitFor('all acked', () => own[1].outcomes.size >= to);
  };
  const seen = (): Set<string> => new Set(members.flatMap(({ texts }) => texts));
  // Both have partitions once both have read something that was published after they joined.
  await publish(0, total);
  await waitFor('all read', () => seen().size === total, 30_000);
  await waitFor('both at work', () => members.every(({ messages }) => messages.length > 0), 30_000);
  await members[1]!.reader.close();
  await publish(total, total * 2);
  await waitFor('all read by the other', () => seen().size === total * 2, 30_000);
  await members[0]!.reader.close();
});

KafkaReadSuite('hands over no more than maxInFlight, nothing while paused, and all of it in the end', async () => {
  const own = await connected('pause');
  for (let token = 0; token < 500; token++) assert.ok(own[0].tryPublish(outboundOf('p', String(token)), token));
  await waitFor('all acked', () => own[1].outcomes.size === 500);
  const collector = new Collector({ hold: true });
  const reader = await own[0].consume(request({ start: { kind: 'all' }, maxInFlight: 10, durable: 'pause' }), collector);
  await waitFor('ten', () => collector.messages.length === 10);
  reader.pause();
  for (const { handle } of collector.messages) reader.ack(handle);
  await reader.flush();
  assert.is(collector.messages.length, 10);
  collector.onMessage = ({ handle }) => queueMicrotask(() => reader.ack(handle));
  reader.resume();
  await waitFor('all', () => collector.messages.length === 500);
  assert.equal(collector.texts.map(Number), [...Array(500).keys()]);
  await reader.close();
});

KafkaReadSuite('goes on after a kill of the broker, alone and in a group, without a gap', async () => {
  const own = await connected('restart', { publishTimeoutMs: 30_000 });
  const alone = new Collector();
  const member = new Collector();
  alone.reader = await own[0].consume(request({ start: { kind: 'all' } }), alone);
  member.reader = await own[0].consume(request({ start: { kind: 'all' }, durable: 'restart' }), member);
  await send(own, 'r', ['0', '1', '2']);
  await waitFor('three', () => alone.messages.length === 3 && member.messages.length === 3);
  await member.reader.flush();
  await server.restart();
  await send(own, 'r', ['3']);
  await waitFor('the fourth', () => alone.texts.includes('3') && member.texts.includes('3'), 40_000);
  assert.equal(alone.texts, ['0', '1', '2', '3']);
  assert.equal([...new Set(member.texts)], ['0', '1', '2', '3']);
  await Promise.all([alone.reader.close(), member.reader.close()]);
});

KafkaReadSuite('reads what a plain client wrote: the topic is the subject, the key is a header, a tombstone is empty', async () => {
  const [own] = await connected('plain');
  const producer = new Producer({ clientId: 'plain', bootstrapBrokers: [server.address] });
  await producer.send({ messages: [{ topic: 'plain', key: Buffer.from('k'), value: Buffer.from('{"a":1}') }] });
  await producer.send({ messages: [{ topic: 'plain', key: Buffer.from('k'), value: null as never }] });
  await producer.close();
  const collector = new Collector();
  const reader = await own.consume(request({ start: { kind: 'all' } }), collector);
  await waitFor('both', () => collector.messages.length === 2);
  assert.equal(
    collector.messages.map(({ subject, text, headers }) => [subject, text, headers]),
    [
      ['plain', '{"a":1}', { 'Millrace-Key': 'k' }],
      ['plain', '', { 'Millrace-Key': 'k' }],
    ],
  );
  await reader.close();
});

KafkaReadSuite('ends by itself at the present, in every partition, and at once when there is nothing', async () => {
  const own = await connected('present', { partitions: 3 });
  assert.is(own[0].endsAtPresent, true);
  for (let token = 0; token < 90; token++) assert.ok(own[0].tryPublish(outboundOf(`p.${token % 30}`, String(token)), token));
  await waitFor('all acked', () => own[1].outcomes.size === 90);
  const collector = new Collector();
  await own[0].consume(request({ start: { kind: 'all' }, noAck: true, toPresent: true }), collector);
  await send(own, 'p.0', ['late']);
  await waitFor('the end', () => collector.endings.length === 1);
  assert.equal(collector.endings, [null]);
  assert.equal(
    collector.texts.map(Number).sort((a, b) => a - b),
    [...Array(90).keys()],
  );
  const nothing = new Collector();
  await own[0].consume(request({ start: { kind: 'new' }, noAck: true, toPresent: true }), nothing);
  await waitFor('the end', () => nothing.endings.length === 1);
  assert.is(nothing.messages.length, 0);
});

const refused = [
  { name: 'a filter with an empty token', stream: 'starts', changes: { filter: 'a..b' }, code: 'MILLRACE_SUBJECT_INVALID' },
  { name: 'a group name with a space', stream: 'starts', changes: { durable: 'a b' }, code: 'MILLRACE_USAGE' },
] as const;
for (const { name, stream, changes, code } of refused)
  KafkaReadSuite(`refuses ${name}`, async () => {
    const [own] = await connected(stream);
    const error = await own.consume(request(changes), new Collector()).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, code);
  });

KafkaReadSuite('does not make a topic by reading it', async () => {
  const made = createKafkaBroker(testOptions({ kind: 'kafka', servers: [server.address], stream: 'unread' }));
  await made.open(new RecordingListener());
  const error = await made.consume(request({}), new Collector()).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.is((error as MillraceError).code, 'MILLRACE_STREAM_MISSING');
  await made.close();
});

if (requireServer('kafka') !== null) KafkaReadSuite.run();
