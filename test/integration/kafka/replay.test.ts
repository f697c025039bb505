/** Replay reads every partition to its present end: offsets count in each of them, so no single number tells where history ends. */
import * as assert from 'uvu/assert';
import { connect } from '../../../src/index.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';

const ReplaySuite = timedSuite('replay from kafka', { timeoutMs: 60_000 });
const EVENTS = 400;
let kafka: KafkaServer;

ReplaySuite.before(async () => {
  kafka = await startKafka();
});
ReplaySuite.after(async () => {
  await kafka.stop();
});

async function numbers(options: Parameters<Awaited<ReturnType<typeof connect>>['replay']>[0]): Promise<number[]> {
  await using events = await connect(`kafka://127.0.0.1:${kafka.port}/REPLAYED`, { partitions: 4 });
  const seen: number[] = [];
  for await (const { event } of events.replay(options)) seen.push((event as { n: number }).n);
  return seen.sort((left, right) => left - right);
}

ReplaySuite('every event of every partition, and then it ends', async () => {
  const events = await connect(`kafka://127.0.0.1:${kafka.port}/REPLAYED`, { partitions: 4 });
  await Promise.all(Array.from({ length: EVENTS }, (_, n) => events.publish(`orders.s${n % 40}`, { n })));
  await events.drain();
  assert.equal(
    await numbers({}),
    Array.from({ length: EVENTS }, (_, n) => n),
  );
  assert.equal(await numbers({ until: 'time:2001-01-01T00:00:00Z' }), []);
  assert.equal(
    await numbers({ subject: 'orders.s7' }),
    Array.from({ length: EVENTS / 40 }, (_, turn) => 7 + turn * 40),
  );
});

if (requireServer('kafka') !== null) ReplaySuite.run();
