/** Core NATS, reading: wildcards, queue groups, a bounded wait with a slow consumer policy, and typed refusals of what it cannot do. */
import * as assert from 'uvu/assert';
import { connect } from 'nats';
import { MillraceError } from '../../../src/api/errors.ts';
import { createSimpleBroker } from '../../../src/processors/simple/broker.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const SimpleReadSuite = timedSuite('simple read', { timeoutMs: 30_000 });

let server: TestServer;
let broker: Broker;
let listener: RecordingListener;

SimpleReadSuite.before(async () => {
  server = await startNatsServer({ jetstream: false });
  broker = createSimpleBroker(testOptions({ kind: 'simple', servers: [`127.0.0.1:${server.port}`] }));
  listener = new RecordingListener();
  await broker.open(listener);
});

SimpleReadSuite.after(async () => {
  await broker.close();
  await server.stop();
});

const send = async (subject: string, text: string): Promise<void> => {
  assert.is((await publishOne(broker, listener, outboundOf(subject, text))).kind, 'acked');
};

SimpleReadSuite('reads what matches its filter, from any client', async () => {
  const collector = new Collector();
  const reader = await broker.consume(request({ filter: 'f.*.x' }), collector);
  await send('f.1.x', 'one');
  await send('f.1.y', 'no');
  await send('f.1.2.x', 'no');
  const plain = await connect({ servers: server.url });
  plain.publish('f.2.x', 'two');
  await plain.flush();
  await plain.close();
  await waitFor('both', () => collector.messages.length === 2);
  assert.equal(collector.texts, ['one', 'two']);
  assert.ok(collector.messages.every(({ timeMs }) => Math.abs(timeMs - Date.now()) < 60_000));
  assert.equal(
    collector.messages.map(({ sequence }) => sequence),
    [1, 2],
  );
  await reader.close();
  await send('f.1.x', 'late');
  assert.is(collector.messages.length, 2);
});

SimpleReadSuite('shares the work of a queue group, each message once', async () => {
  const members = [new Collector(), new Collector()];
  const readers = await Promise.all(members.map((member) => broker.consume(request({ filter: 'q.x', queue: 'workers' }), member)));
  for (let index = 0; index < 200; index++) await send('q.x', String(index));
  await waitFor('all read', () => members[0]!.messages.length + members[1]!.messages.length === 200);
  const all = members
    .flatMap(({ texts }) => texts)
    .map(Number)
    .sort((a, b) => a - b);
  assert.equal(all, [...Array(200).keys()]);
  assert.ok(members.every(({ messages }) => messages.length > 0));
  await Promise.all(readers.map((reader) => reader.close()));
});

SimpleReadSuite('keeps no more than its bound while paused, drops the newest, and warns with the count', async () => {
  const collector = new Collector();
  const reader = await broker.consume(request({ filter: 'slow.x', maxInFlight: 10 }), collector);
  const warned = listener.warnings.length;
  reader.pause();
  for (let index = 0; index < 25; index++) await send('slow.x', String(index));
  await waitFor('a warning', () => listener.warnings.length > warned);
  assert.match(listener.warnings[warned]!, /slow consumer on slow\.x/);
  assert.is(collector.messages.length, 0);
  collector.onMessage = ({ text }) => {
    if (text === '4') reader.pause();
  };
  reader.resume();
  assert.equal(collector.texts, ['0', '1', '2', '3', '4']);
  reader.resume();
  assert.equal(collector.texts, [...Array(10).keys()].map(String));
  await send('slow.x', 'next');
  await waitFor('the next', () => collector.messages.length === 11);
  await reader.close();
});

SimpleReadSuite('goes on by itself after a restart of the server', async () => {
  const collector = new Collector();
  const reader = await broker.consume(request({ filter: 'again.x' }), collector);
  await send('again.x', 'before');
  await waitFor('the first', () => collector.messages.length === 1);
  await server.restart();
  await waitFor('reading again', async () => {
    await publishOne(broker, listener, outboundOf('again.x', 'after'));
    return collector.texts.includes('after');
  });
  await reader.close();
});

const refused = [
  { name: 'a durable', changes: { durable: 'd' }, code: 'MILLRACE_NOT_SUPPORTED' },
  { name: 'history', changes: { start: { kind: 'all' } }, code: 'MILLRACE_NOT_SUPPORTED' },
  { name: 'a sequence', changes: { start: { kind: 'sequence', sequence: 1 } }, code: 'MILLRACE_NOT_SUPPORTED' },
  { name: 'a filter with an empty token', changes: { filter: 'a..b' }, code: 'MILLRACE_SUBJECT_INVALID' },
] as const;
for (const { name, changes, code } of refused)
  SimpleReadSuite(`refuses ${name} and names a way out`, async () => {
    const error = await broker.consume(request(changes), new Collector()).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, code);
    if (code === 'MILLRACE_NOT_SUPPORTED') assert.match((error as MillraceError).message, /jetstream/);
  });

SimpleReadSuite('has no last sequence, and is healthy', async () => {
  assert.is(await broker.lastSequence('>').catch((error: MillraceError) => error.code), 'MILLRACE_NOT_SUPPORTED');
  const health = await broker.health();
  assert.equal(health.reasons, []);
  assert.ok(health.rttMs !== null && health.server?.includes('nats-server'));
});

if (requireServer('nats-server') !== null) SimpleReadSuite.run();
