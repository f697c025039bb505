/** Core NATS, publishing: acked only after the server has parsed it, exact bytes out of shared memory, and every token settled once. */
import * as assert from 'uvu/assert';
import { createSimpleBroker } from '../../../src/processors/simple/broker.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { standStill } from '../standstill.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const SimplePublishSuite = timedSuite('simple publish', { timeoutMs: 40_000 });

let server: TestServer;
let broker: Broker;
let listener: RecordingListener;

async function connected(changes: Parameters<typeof testOptions>[0] = {}): Promise<readonly [Broker, RecordingListener]> {
  const made = createSimpleBroker(testOptions({ kind: 'simple', servers: [`127.0.0.1:${server.port}`], ...changes }));
  const listening = new RecordingListener();
  await made.open(listening);
  return [made, listening];
}

SimplePublishSuite.before(async () => {
  server = await startNatsServer({ jetstream: false });
  [broker, listener] = await connected({ connections: 2 });
});

SimplePublishSuite.after(async () => {
  await broker.close();
  await server.stop();
});

SimplePublishSuite('acks what the server has parsed, and subscribers get the very bytes', async () => {
  const collector = new Collector();
  const reader = await broker.consume(request({ filter: 'bytes.>' }), collector);
  const payloads = [Buffer.alloc(0), Buffer.from([0, 13, 10, 255, 0]), Buffer.alloc(1_000_000, 7), Buffer.from('é')];
  for (const [index, payload] of payloads.entries()) {
    const outcome = await publishOne(
      broker,
      listener,
      outboundOf(`bytes.${index}`, payload, index === 1 ? { 'Content-Type': 'application/json' } : {}),
    );
    assert.equal(outcome, { kind: 'acked', sequence: 0, duplicate: false });
  }
  await waitFor('the messages', () => collector.messages.length === payloads.length);
  // Two connections publish: the order over subjects is not promised.
  const read = [...collector.messages].sort((a, b) => a.subject.localeCompare(b.subject));
  assert.ok(read.every(({ payload }, index) => payload.equals(payloads[index]!)));
  assert.is(read[1]!.contentType, 'application/json');
  assert.is(read[0]!.contentType, undefined);
  await reader.close();
});

SimplePublishSuite('keeps the order of a subject over two connections, and settles each token once', async () => {
  const collector = new Collector();
  const reader = await broker.consume(request({ filter: 'order.>', maxInFlight: 100_000 }), collector);
  const subjects = ['order.a', 'order.b', 'order.c', 'order.d', 'order.e'];
  const total = 20_000;
  let next = 0;
  const fill = (): void => {
    while (next < total && broker.tryPublish(outboundOf(subjects[next % subjects.length]!, String(next)), next)) next++;
  };
  listener.onWritable = fill;
  fill();
  await waitFor(
    'all acked and read',
    () => next === total && [...Array(total).keys()].every((token) => listener.outcomes.get(token)?.kind === 'acked'),
  );
  await waitFor('all read', () => collector.messages.length === total);
  for (const subject of subjects) {
    const read = collector.messages.filter((message) => message.subject === subject).map(({ text }) => Number(text));
    assert.equal(
      read,
      [...read].sort((a, b) => a - b),
    );
  }
  assert.equal(listener.twice, []);
  await reader.close();
});

SimplePublishSuite('refuses what is larger than max_payload, and goes on', async () => {
  const outcome = await publishOne(broker, listener, outboundOf('big', Buffer.alloc(1_048_577)));
  assert.ok(outcome.kind === 'failed' && outcome.error.code === 'MILLRACE_EVENT_TOO_LARGE' && outcome.error.outcome === 'failed');
  const atLimit = await publishOne(broker, listener, outboundOf('big', Buffer.alloc(1_048_576)));
  assert.is(atLimit.kind, 'acked');
});

SimplePublishSuite('never reports a forbidden message as acked, and lets other subjects flow', async () => {
  const config = 'authorization { users: [{ user: a, password: p, permissions: { publish: { deny: ["no.>"] } } }] }';
  const guarded = await startNatsServer({ jetstream: false, config });
  const own = new RecordingListener();
  const user = createSimpleBroker(testOptions({ kind: 'simple', servers: [`127.0.0.1:${guarded.port}`], user: 'a', password: 'p' }));
  try {
    await user.open(own);
    for (let token = 0; token < 20; token++) assert.ok(user.tryPublish(outboundOf(token % 2 === 0 ? 'yes.x' : 'no.x', 'x'), token));
    await waitFor('all outcomes', () => own.outcomes.size === 20);
    for (const [token, outcome] of own.outcomes) {
      assert.is(outcome.kind, token % 2 === 0 ? 'acked' : 'failed');
      if (outcome.kind === 'failed') assert.is(outcome.error.code, 'MILLRACE_AUTH');
    }
    assert.equal(own.twice, []);
  } finally {
    await user.close();
    await guarded.stop();
  }
});

SimplePublishSuite('reports what a killed server left unconfirmed as unknown, once, and acks again after its restart', async () => {
  const [own, heard] = await connected();
  try {
    await standStill(server); // Nothing is confirmed from here on, so something is on the wire when it dies.
    for (let token = 0; token < 100; token++) assert.ok(own.tryPublish(outboundOf('kill.x', `k${token}`), token));
    await new Promise((resolve) => setImmediate(resolve));
    await server.restart();
    await waitFor('all outcomes', () => heard.outcomes.size === 100);
    for (const outcome of heard.outcomes.values()) {
      assert.ok(outcome.kind === 'unknown' && outcome.error.code === 'MILLRACE_PUBLISH_UNKNOWN' && outcome.error.outcome === 'unknown');
    }
    assert.is((await publishOne(own, heard, outboundOf('kill.x', 'after'))).kind, 'acked');
    assert.equal(heard.twice, []);
    assert.is(own.resends, false);
  } finally {
    await own.close();
  }
});

SimplePublishSuite('reports unknown after the publish timeout when the server stands still', async () => {
  const [own, heard] = await connected({ publishTimeoutMs: 300, pingIntervalMs: 60_000 });
  try {
    await standStill(server);
    const outcome = await publishOne(own, heard, outboundOf('still.x', 'x'));
    assert.is(outcome.kind === 'unknown' ? outcome.error.code : outcome.kind, 'MILLRACE_PUBLISH_TIMEOUT');
    await server.kill('SIGCONT');
    assert.is((await publishOne(own, heard, outboundOf('still.x', 'y'))).kind, 'acked');
    assert.equal(heard.twice, []);
  } finally {
    await server.kill('SIGCONT');
    await own.close();
  }
});

SimplePublishSuite('says false beyond its credit, and calls writable when there is room', async () => {
  const [own, heard] = await connected({ maxInFlightMessages: 8 });
  let writable = 0;
  heard.onWritable = () => writable++;
  let taken = 0;
  while (own.tryPublish(outboundOf('credit.x', 'x'), taken)) taken++;
  assert.is(taken, 8);
  await waitFor('writable', () => writable > 0);
  await own.close();
  await own.close();
  assert.is(heard.outcomes.size, 8);
});

if (requireServer('nats-server') !== null) SimplePublishSuite.run();
