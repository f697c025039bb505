/** Kafka, too few replicas in sync: nothing is stored, nothing is lost, and it goes on as soon as the topic may be written to. */
import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/index.ts';
import { createKafkaBroker } from '../../../src/processors/kafka/broker.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const ReplicaSuite = timedSuite('kafka replicas', { timeoutMs: 60_000 });
const numbers = Array.from({ length: 50 }, (_, n) => n);
const TOPICS = ['refused', 'altered', 'healed'];
let server: KafkaServer;
/** Holds the other replica of each partition. */
let second: KafkaServer;

async function minInSync(topic: string, replicas: number): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.address] });
  const configs = [{ name: 'min.insync.replicas', value: String(replicas), configOperation: IncrementalAlterConfigOperationTypes.SET }];
  await admin.incrementalAlterConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }] });
  await admin.close();
}

const options = (stream: string, changes: Parameters<typeof testOptions>[0] = {}): ReturnType<typeof testOptions> =>
  testOptions({ kind: 'kafka', servers: [server.address], stream, replicas: 2, ...changes });

async function warningsOf(made: ReturnType<typeof testOptions>): Promise<string[]> {
  const listener = new RecordingListener();
  const broker = createKafkaBroker(made);
  await broker.open(listener);
  await broker.prepare([]);
  await broker.close();
  return listener.warnings;
}

async function inSync(topic: string): Promise<number> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.address], retries: 0 });
  const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
  await admin.close();
  return topics.get(topic)!.partitions[0]!.isr.length;
}

// The broker's own default, which a topic made by us inherits.
const settings = { 'min.insync.replicas': '2' };
ReplicaSuite.before(async () => {
  server = await startKafka({ settings });
  second = await startKafka({ settings, joins: server });
});
ReplicaSuite.after(async () => {
  await second.stop();
  await server.stop();
});

ReplicaSuite('a topic that can never have as many replicas as it asks for is warned of, and this broker takes its writes', async () => {
  const single = options('single', { replicas: 1 });
  const [warning, ...more] = await warningsOf(single);
  assert.match(warning ?? '', /topic single: min\.insync\.replicas asks for 2, and it has 1: .*kafka-configs/);
  assert.equal(more, []);
  const listener = new RecordingListener();
  const broker = createKafkaBroker(single);
  await broker.open(listener);
  await broker.prepare([]);
  assert.is((await publishOne(broker, listener, outboundOf('s', 'one'))).kind, 'acked');
  await broker.close();
  await minInSync('single', 1);
  assert.equal(await warningsOf(single), []);
});

ReplicaSuite('with both replicas in sync there is nothing to warn of; then one is lost', async () => {
  for (const topic of TOPICS) assert.equal(await warningsOf(options(topic)), []);
  await second.kill('SIGKILL');
  for (const topic of TOPICS) await waitFor('one replica less', async () => (await inSync(topic)) === 1);
  const [warning] = await warningsOf(options('refused'));
  assert.match(warning ?? '', /topic refused: partition 0 takes no write just now: 1 of 2 replicas are in sync, and .* asks for 2/);
});

ReplicaSuite('what the broker refuses all the time allowed has certainly failed, may be retried, and was not stored', async () => {
  const listener = new RecordingListener();
  const broker = createKafkaBroker(options('refused', { publishTimeoutMs: 4_000 }));
  await broker.open(listener);
  await broker.prepare([]);
  const outcome = await publishOne(broker, listener, outboundOf('r', 'one'));
  assert.ok(outcome.kind === 'failed', outcome.kind);
  const { code, retryable, message } = outcome.error;
  assert.equal([code, retryable, outcome.error.outcome], ['MILLRACE_BROKER_BUSY', true, 'failed'], message);
  assert.match(message, /within 4000 ms: fewer replicas in sync than min\.insync\.replicas/);
  await minInSync('refused', 1);
  const stored = await waitFor('an ack', async () => {
    const next = await publishOne(broker, listener, outboundOf('r', 'two'));
    return next.kind === 'acked' ? next : undefined;
  });
  assert.is(stored.sequence, 0);
  await broker.close();
});

const cures = [
  { topic: 'altered', ordering: 'relaxed', name: 'the topic asks for less', cure: () => minInSync('altered', 1) },
  { topic: 'healed', ordering: 'strict', name: 'the other replica is back', cure: () => second.restart() },
] as const;
for (const { topic, ordering, name, cure } of cures)
  ReplicaSuite(`events wait, are tried again, and are stored once (${ordering}) when ${name}`, async () => {
    const events = await connect(`kafka://${server.address}/${topic}`, {
      workers: 0,
      publishTimeout: '1s',
      ordering,
      deadLetters: 'off',
      env: {},
    });
    const all = Promise.all(numbers.map((n) => events.publish(topic, n)));
    await waitFor('the engine to try again', () => events.stats().retries > 0);
    const { acked, failed } = events.stats();
    assert.equal([acked, failed], [0, 0]);
    await cure();
    await all;
    const seen: number[] = [];
    for await (const { event } of events.replay({ subject: topic })) seen.push(event as number);
    // An attempt that has run out of time comes again behind those that have not, unless the order is strict.
    assert.equal(ordering === 'strict' ? seen : seen.toSorted((a, b) => a - b), numbers);
    await events.close();
  });

if (requireServer('kafka') !== null) ReplicaSuite.run();
