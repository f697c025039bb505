/** Kafka, faults: a killed or stalled broker in the middle of a batch leaves each message one outcome, acked ones are there, none twice. */
import * as assert from 'uvu/assert';
import { createKafkaBroker } from '../../../src/processors/kafka/broker.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';
import { standStill } from '../standstill.ts';

const KafkaFaultSuite = timedSuite('kafka faults', { timeoutMs: 60_000 });

let server: KafkaServer;

async function connected(stream: string, changes: Parameters<typeof testOptions>[0] = {}): Promise<readonly [Broker, RecordingListener]> {
  const made = createKafkaBroker(testOptions({ kind: 'kafka', servers: [server.address], stream, ...changes }));
  const listening = new RecordingListener();
  await made.open(listening);
  await made.prepare([]);
  return [made, listening];
}

async function textsOf(broker: Broker, until: string): Promise<string[]> {
  const collector = new Collector();
  const reader = await broker.consume(request({ start: { kind: 'all' }, maxInFlight: 1_000_000, noAck: true }), collector);
  await waitFor(`'${until}' to be read`, () => collector.texts.includes(until), 30_000);
  await reader.close();
  return collector.texts;
}

KafkaFaultSuite.before(async () => {
  server = await startKafka();
});

KafkaFaultSuite.after(async () => {
  await server.stop();
});

KafkaFaultSuite('retries through a kill and restart of the broker with the same sequence: all acked, in order, none twice', async () => {
  const [own, heard] = await connected('killed', { publishTimeoutMs: 40_000, maxInFlightMessages: 10_000 });
  const total = 3_000;
  let next = 0;
  const restarts: Promise<void>[] = [];
  const burst = (): void => {
    for (let count = 0; count < 20 && next < total && own.tryPublish(outboundOf('k', String(next)), next); count++) next++;
    if (next >= 1_000 && restarts.length === 0) restarts.push(server.restart());
    if (next < total) setImmediate(burst);
  };
  burst();
  await waitFor('the restart to begin', () => restarts.length > 0);
  await Promise.all(restarts);
  await waitFor('all outcomes', () => heard.outcomes.size === total, 45_000);
  assert.ok([...heard.outcomes.values()].every(({ kind }) => kind === 'acked'));
  assert.equal(heard.twice, []);
  assert.ok(heard.states.includes('reconnecting'), 'the fault was noticed');
  const texts = await textsOf(own, String(total - 1));
  assert.equal(texts.map(Number), [...Array(total).keys()]);
  await own.close();
});

KafkaFaultSuite(
  'reports unknown after the publish timeout when the broker stands still, goes on with a new producer, and loses nothing acked',
  async () => {
    const [own, heard] = await connected('still', { publishTimeoutMs: 1_500 });
    assert.is((await publishOne(own, heard, outboundOf('s', 'before'))).kind, 'acked');
    await standStill(server);
    for (let token = 0; token < 50; token++) own.tryPublish(outboundOf('s', `doubt-${token}`), token);
    await waitFor('all outcomes', () => [...Array(50).keys()].every((token) => heard.outcomes.has(token)));
    for (let token = 0; token < 50; token++) {
      const outcome = heard.outcomes.get(token)!;
      assert.ok(outcome.kind === 'unknown' && outcome.error.code === 'MILLRACE_PUBLISH_TIMEOUT' && outcome.error.outcome === 'unknown');
    }
    await server.kill('SIGCONT');
    await waitFor('an ack', async () => (await publishOne(own, heard, outboundOf('s', 'after'))).kind === 'acked', 30_000);
    for (let token = 100; token < 150; token++) own.tryPublish(outboundOf('s', `sure-${token}`), token);
    await waitFor('acks', () => [...Array(50).keys()].every((index) => heard.outcomes.get(100 + index)?.kind === 'acked'));
    const texts = await textsOf(own, 'sure-149');
    assert.is(texts[0], 'before');
    for (let token = 100; token < 150; token++) assert.is(texts.filter((text) => text === `sure-${token}`).length, 1);
    for (const text of new Set(texts)) if (text !== 'after') assert.is(texts.filter((each) => each === text).length, 1, text);
    assert.equal(heard.twice, []);
    await own.close();
  },
);

KafkaFaultSuite('knows that nothing was stored when the broker was never reached', async () => {
  const [own, heard] = await connected('unreached', { publishTimeoutMs: 1_000 });
  await publishOne(own, heard, outboundOf('u', 'first'));
  await server.kill('SIGKILL');
  await waitFor(
    'a certain failure',
    async () => {
      const outcome = await publishOne(own, heard, outboundOf('u', 'x'));
      return outcome.kind === 'failed' && outcome.error.retryable && outcome.error.outcome === 'failed';
    },
    20_000,
  );
  const health = await own.health();
  assert.is(health.rttMs, null);
  assert.ok(health.reasons.length > 0);
  await server.restart();
  await waitFor('an ack', async () => (await publishOne(own, heard, outboundOf('u', 'again'))).kind === 'acked', 20_000);
  assert.ok(heard.states.includes('reconnecting') && heard.states.at(-1) === 'open');
  await own.close();
});

KafkaFaultSuite('settles everything when it is closed under load', async () => {
  const [own, heard] = await connected('closing', { maxInFlightMessages: 5_000 });
  let taken = 0;
  for (; taken < 2_000; taken++) if (!own.tryPublish(outboundOf('c', String(taken)), taken)) break;
  await own.close();
  assert.is(heard.outcomes.size, taken);
  assert.equal(heard.twice, []);
  assert.not.ok(own.tryPublish(outboundOf('c', 'late'), 9_999));
});

if (requireServer('kafka') !== null) KafkaFaultSuite.run();
