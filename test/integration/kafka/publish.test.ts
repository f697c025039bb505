/** Kafka, publishing: acked means stored at that offset, one request in flight per partition, keys keep their partition, refusals are typed. */
import * as zlib from 'node:zlib';
import * as assert from 'uvu/assert';
import { createKafkaBroker } from '../../../src/processors/kafka/broker.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const KafkaPublishSuite = timedSuite('kafka publish', { timeoutMs: 60_000 });

let server: KafkaServer;
let broker: Broker;
let listener: RecordingListener;

async function connected(stream: string, changes: Parameters<typeof testOptions>[0] = {}): Promise<readonly [Broker, RecordingListener]> {
  const made = createKafkaBroker(testOptions({ kind: 'kafka', servers: [server.address], stream, ...changes }));
  const listening = new RecordingListener();
  await made.open(listening);
  await made.prepare([]);
  return [made, listening];
}

/** All of a topic, as the broker reads it. */
async function readAll(from: Broker, count: number): Promise<Collector> {
  const collector = new Collector();
  const reader = await from.consume(request({ start: { kind: 'all' }, maxInFlight: 1_000_000, noAck: true }), collector);
  await waitFor(`${count} records`, () => collector.messages.length >= count);
  await reader.close();
  return collector;
}

KafkaPublishSuite.before(async () => {
  server = await startKafka();
  [broker, listener] = await connected('first');
});

KafkaPublishSuite.after(async () => {
  await broker.close();
  await server.stop();
});

KafkaPublishSuite('stores binary, empty and large payloads with subject, headers and key, at the offset it says', async () => {
  const messages = [
    { subject: 'a.b', payload: Buffer.alloc(0), headers: {} },
    {
      subject: 'a.c',
      payload: Buffer.from([0, 13, 10, 255]),
      headers: { 'Content-Type': 'application/json', 'Nats-Msg-Id': 'é', Empty: '' },
    },
    { subject: 'a.b', payload: Buffer.alloc(1_000_000, 7), headers: { 'Millrace-Count': '2', 'Millrace-Key': 'k' } },
  ];
  for (const [index, { subject, payload, headers }] of messages.entries()) {
    const outcome = await publishOne(broker, listener, outboundOf(subject, payload, headers));
    assert.equal(outcome, { kind: 'acked', sequence: index, duplicate: false });
  }
  const { messages: read } = await readAll(broker, messages.length);
  for (const [index, { subject, payload, headers }] of messages.entries()) {
    assert.equal([read[index]!.subject, read[index]!.sequence, read[index]!.headers], [subject, index, headers]);
    assert.ok(read[index]!.payload.equals(payload));
    assert.ok(Math.abs(read[index]!.timeMs - Date.now()) < 60_000);
  }
  assert.is(read[1]!.contentType, 'application/json');
  assert.is(await broker.lastSequence('>'), 2);
  assert.is(await broker.lastSequence('a.c'), 1);
  assert.is(await broker.lastSequence('nothing'), 0);
});

KafkaPublishSuite('gives each of many concurrent messages an offset of its own, and loses none of them', async () => {
  const [own, heard] = await connected('distinct', { maxInFlightMessages: 10_000 });
  const total = 4_000;
  let next = 0;
  // In many turns, so that requests would overlap if they could.
  const burst = (): void => {
    for (let count = 0; count < 25 && next < total && own.tryPublish(outboundOf(`s.${next % 7}`, String(next)), next); count++) next++;
    if (next < total) setImmediate(burst);
  };
  burst();
  await waitFor('all acked', () => heard.outcomes.size === total);
  const offsets = [...heard.outcomes.values()].map((outcome) => (outcome.kind === 'acked' ? outcome.sequence : -1));
  assert.is(new Set(offsets).size, total);
  assert.is(Math.max(...offsets), total - 1);
  assert.equal(heard.twice, []);
  const { messages } = await readAll(own, total);
  for (const { text, sequence } of messages) assert.equal(heard.outcomes.get(Number(text)), { kind: 'acked', sequence, duplicate: false });
  for (let subject = 0; subject < 7; subject++) {
    const read = messages.filter((message) => message.subject === `s.${subject}`).map(({ text }) => Number(text));
    assert.equal(
      read,
      [...read].sort((a, b) => a - b),
    );
  }
  await own.close();
});

KafkaPublishSuite('keeps a key in one partition and the order of each key, over partitions side by side', async () => {
  const [own, heard] = await connected('wide', { partitions: 4, compression: 'lz4' });
  const total = 2_000;
  let next = 0;
  const fill = (): void => {
    while (next < total && own.tryPublish(outboundOf('x', String(next), { 'Millrace-Key': `k${next % 20}` }), next)) next++;
  };
  heard.onWritable = fill;
  fill();
  await waitFor('all acked', () => heard.outcomes.size === total);
  const { messages } = await readAll(own, total);
  assert.is(messages.length, total);
  for (let key = 0; key < 20; key++) {
    const read = messages.filter(({ headers }) => headers['Millrace-Key'] === `k${key}`).map(({ text }) => Number(text));
    assert.is(read.length, total / 20);
    assert.equal(
      read,
      [...read].sort((a, b) => a - b),
    );
  }
  // The offsets of 4 partitions: each is given out once per partition.
  assert.ok(Math.max(...messages.map(({ sequence }) => sequence)) < total / 2);
  await own.close();
});

for (const compression of ['gzip', 'snappy', 'lz4'] as const)
  KafkaPublishSuite(`compresses with ${compression}`, async () => {
    const [own, heard] = await connected(`compressed-${compression}`, { compression });
    for (let token = 0; token < 10; token++) own.tryPublish(outboundOf('c', Buffer.alloc(5_000, token)), token);
    await waitFor('all acked', () => heard.outcomes.size === 10);
    const { messages } = await readAll(own, 10);
    assert.ok(messages.every(({ payload }, index) => payload.equals(Buffer.alloc(5_000, index))));
    await own.close();
  });

KafkaPublishSuite('compresses with zstd where Node can, and says what else there is where it cannot', async () => {
  const opened = await connected('compressed-zstd', { compression: 'zstd' }).then(
    (made) => made,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
  if (typeof opened === 'string') {
    assert.not.ok('zstdCompressSync' in zlib, opened);
    assert.match(opened, /^MILLRACE_CONFIG: compression zstd .*gzip, snappy or lz4/);
    return;
  }
  assert.is((await publishOne(...opened, outboundOf('c', 'x'.repeat(5_000)))).kind, 'acked');
  assert.is((await readAll(opened[0], 1)).texts[0], 'x'.repeat(5_000));
  await opened[0].close();
});

KafkaPublishSuite('refuses what the topic does not take, and splits a request that is too large only as a whole', async () => {
  const outcome = await publishOne(broker, listener, outboundOf('big', Buffer.alloc(1_048_576)));
  assert.ok(outcome.kind === 'failed' && outcome.error.code === 'MILLRACE_EVENT_TOO_LARGE');
  const fits = await publishOne(broker, listener, outboundOf('big', Buffer.alloc(broker.limits().messageBytesMax)));
  assert.is(fits.kind, 'acked');
});

KafkaPublishSuite('splits a request that is too large only as a whole, and refuses the one message that is', async () => {
  const [own, heard] = await connected('shrunk');
  const { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } = await import('@platformatic/kafka');
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.address] });
  // Behind the broker's back: it still believes in the old limit.
  const configs = [{ name: 'max.message.bytes', value: '20000', configOperation: IncrementalAlterConfigOperationTypes.SET }];
  await admin.incrementalAlterConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: 'shrunk', configs }] });
  await admin.close();
  await waitFor('the new limit', async () => (await publishOne(own, heard, outboundOf('s', Buffer.alloc(30_000)))).kind === 'failed');
  for (let token = 0; token < 20; token++) own.tryPublish(outboundOf('s', Buffer.alloc(token === 10 ? 30_000 : 5_000, token)), token);
  await waitFor('all outcomes', () => [...Array(20).keys()].every((token) => heard.outcomes.has(token)));
  for (let token = 0; token < 20; token++) {
    const outcome = heard.outcomes.get(token)!;
    assert.is(outcome.kind, token === 10 ? 'failed' : 'acked');
    if (outcome.kind === 'failed') assert.is(outcome.error.code, 'MILLRACE_EVENT_TOO_LARGE');
  }
  assert.equal(heard.twice, []);
  await own.close();
});

KafkaPublishSuite('makes the topic as asked, and says in what an existing one falls short', async () => {
  const code = async (stream: string, changes: Parameters<typeof testOptions>[0]): Promise<string> =>
    connected(stream, changes).then(
      ([own]) => own.close().then(() => 'ready'),
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
  assert.is(await code('made', { partitions: 3, maxAgeMs: 60_000 }), 'ready');
  assert.is(await code('made', { partitions: 2 }), 'ready');
  assert.match(await code('made', { partitions: 5 }), /^MILLRACE_STREAM_MISMATCH: .*3 partitions.*asks for 5/);
  assert.match(await code('absent', { createStream: false }), /^MILLRACE_STREAM_MISSING: .*absent.*createStream/);
  assert.match(await code('three', { replicas: 3 }), /^MILLRACE_BROKER: cannot create topic three/);
  assert.match(await code('no good', {}), /^MILLRACE_CONFIG: 'no good' is not a topic name/);
});

KafkaPublishSuite('reports a topic that was deleted as missing, and publishes again when it was made again', async () => {
  const [own, heard] = await connected('gone', { publishTimeoutMs: 3_000 });
  assert.is((await publishOne(own, heard, outboundOf('x', '1'))).kind, 'acked');
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.address] });
  await admin.deleteTopics({ topics: ['gone'] });
  const outcome = await publishOne(own, heard, outboundOf('x', '2'));
  assert.ok(outcome.kind === 'failed' && outcome.error.code === 'MILLRACE_STREAM_MISSING' && outcome.error.retryable);
  await own.prepare([]);
  await waitFor('the new topic', async () => (await publishOne(own, heard, outboundOf('x', '3'))).kind === 'acked');
  await admin.close();
  await own.close();
});

KafkaPublishSuite('says what is wrong with an address', async () => {
  const made = createKafkaBroker(testOptions({ kind: 'kafka', servers: ['127.0.0.1:1'], stream: 'x', connectTimeoutMs: 2_000 }));
  const error = await made.open(new RecordingListener()).catch((thrown: { code: string; message: string }) => thrown);
  assert.match(`${error?.code}: ${error?.message}`, /^MILLRACE_CONNECT: .*127\.0\.0\.1:1.*refused/);
});

KafkaPublishSuite('is healthy, and closes twice', async () => {
  const [own] = await connected('health');
  const health = await own.health();
  assert.equal(health.reasons, []);
  assert.ok(health.rttMs !== null && health.server?.includes('Kafka'));
  await own.close();
  await own.close();
  assert.equal((await own.health()).reasons, ['not open']);
});

if (requireServer('kafka') !== null) KafkaPublishSuite.run();
