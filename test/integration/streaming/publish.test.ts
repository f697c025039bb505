/** NATS Streaming, publishing: acked means stored, in flight is counted here, and a session that dies leaves unknown and nothing else. */
import * as assert from 'uvu/assert';
import { createStreamingBroker } from '../../../src/processors/streaming/broker.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import type { StanServer } from '../../harness/stan-server.ts';
import { STAN_CLUSTER, startStanServer } from '../../harness/stan-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';
import { standStill } from '../standstill.ts';

const StreamingPublishSuite = timedSuite('streaming publish', { timeoutMs: 40_000 });

let server: StanServer;
let broker: Broker;
let listener: RecordingListener;

async function connected(changes: Parameters<typeof testOptions>[0] = {}): Promise<readonly [Broker, RecordingListener]> {
  const made = createStreamingBroker(testOptions({ kind: 'streaming', servers: [server.address], stream: STAN_CLUSTER, ...changes }));
  const listening = new RecordingListener();
  await made.open(listening);
  return [made, listening];
}

StreamingPublishSuite.before(async () => {
  server = await startStanServer();
  [broker, listener] = await connected();
});

StreamingPublishSuite.after(async () => {
  await broker.close();
  await server.stop();
});

StreamingPublishSuite('stores binary, empty and large payloads with their headers', async () => {
  const payloads = [
    { payload: Buffer.alloc(0), headers: {} },
    { payload: Buffer.from([0, 13, 10, 255, 0x80]), headers: { 'Content-Type': 'application/json', 'Nats-Msg-Id': 'é' } },
    { payload: Buffer.alloc(1_000_000, 0x93), headers: { 'Content-Type': 'application/msgpack' } },
    { payload: Buffer.alloc(1_000_000, 7), headers: { 'Content-Type': 'application/msgpack', 'Millrace-Count': '2' } },
  ];
  for (const { payload, headers } of payloads) {
    const outcome = await publishOne(broker, listener, outboundOf('bytes', payload, headers));
    assert.equal(outcome, { kind: 'acked', sequence: 0, duplicate: false });
  }
  const collector = new Collector();
  const reader = await broker.consume(request({ filter: 'bytes', start: { kind: 'all' } }), collector);
  await waitFor('all read', () => collector.messages.length === payloads.length);
  for (const [index, { payload, headers }] of payloads.entries()) {
    const read = collector.messages[index]!;
    assert.ok(read.payload.equals(payload), `payload ${index}`);
    assert.is(read.sequence, index + 1);
    // Bare msgpack carries no header: its content type is seen in its bytes.
    assert.equal(read.headers, index === 2 ? {} : headers);
    assert.ok(Math.abs(read.timeMs - Date.now()) < 60_000);
  }
  assert.is(collector.messages[3]!.contentType, 'application/msgpack');
  await reader.close();
});

StreamingPublishSuite('refuses what does not fit, and the session lives on', async () => {
  const outcome = await publishOne(broker, listener, outboundOf('big', Buffer.alloc(1_048_576)));
  assert.ok(outcome.kind === 'failed' && outcome.error.code === 'MILLRACE_EVENT_TOO_LARGE');
  const fits = await publishOne(broker, listener, outboundOf('big', Buffer.alloc(broker.limits().messageBytesMax)));
  assert.is(fits.kind, 'acked');
});

StreamingPublishSuite('never has more in flight than it may, and acks each of many once, in order', async () => {
  const [own, heard] = await connected({ maxInFlightMessages: 50 });
  const total = 5_000;
  let next = 0;
  let inFlightMax = 0;
  const fill = (): void => {
    while (next < total && own.tryPublish(outboundOf('many', String(next)), next)) next++;
    inFlightMax = Math.max(inFlightMax, next - heard.outcomes.size);
  };
  heard.onWritable = fill;
  fill();
  await waitFor('all acked', () => heard.outcomes.size === total);
  assert.is(inFlightMax, 50);
  assert.equal(heard.twice, []);
  assert.ok([...heard.outcomes.values()].every(({ kind }) => kind === 'acked'));
  const collector = new Collector();
  const reader = await own.consume(request({ filter: 'many', start: { kind: 'all' } }), collector);
  collector.reader = reader;
  for (const { handle } of collector.messages) reader.ack(handle);
  await waitFor('all read', () => collector.messages.length === total);
  assert.equal(collector.texts.map(Number), [...Array(total).keys()]);
  await own.close();
});

StreamingPublishSuite('reports what a killed server left unacked as unknown, rebuilds the session, and keeps what was acked', async () => {
  const [own, heard] = await connected();
  await publishOne(own, heard, outboundOf('kill', 'acked'));
  await standStill(server);
  for (let token = 0; token < 100; token++) assert.ok(own.tryPublish(outboundOf('kill', `k${token}`), token));
  await server.restart();
  await waitFor('all outcomes', () => [...Array(100).keys()].every((token) => heard.outcomes.has(token)));
  for (let token = 0; token < 100; token++) {
    const outcome = heard.outcomes.get(token)!;
    assert.ok(outcome.kind === 'unknown' && outcome.error.code === 'MILLRACE_PUBLISH_UNKNOWN');
  }
  assert.is(own.resends, true);
  assert.is((await publishOne(own, heard, outboundOf('kill', 'again'))).kind, 'acked');
  assert.equal(heard.states.slice(0, 3), ['open', 'reconnecting', 'open']);
  assert.equal(heard.twice, []);
  const collector = new Collector({ hold: true });
  await own.consume(request({ filter: 'kill', start: { kind: 'all' } }), collector);
  await waitFor('the acked ones', () => collector.texts.includes('again'));
  assert.is(collector.texts[0], 'acked');
  await own.close();
});

StreamingPublishSuite('reports unknown after the publish timeout, and notices a peer that is silent', async () => {
  const [own, heard] = await connected({ publishTimeoutMs: 400, pingIntervalMs: 1_000 });
  await standStill(server);
  const outcome = await publishOne(own, heard, outboundOf('still', 'x'));
  assert.is(outcome.kind === 'unknown' ? outcome.error.code : outcome.kind, 'MILLRACE_PUBLISH_TIMEOUT');
  await waitFor('the loss of the session', () => heard.states.includes('reconnecting'), 20_000);
  assert.ok(!own.tryPublish(outboundOf('still', 'y'), 5));
  await server.kill('SIGCONT');
  await waitFor('a new session', () => heard.states.at(-1) === 'open', 20_000);
  assert.is((await publishOne(own, heard, outboundOf('still', 'z'))).kind, 'acked');
  assert.equal(heard.twice, []);
  await own.close();
});

StreamingPublishSuite('says that the server takes no more channels, for that message only', async () => {
  const small = await startStanServer({ args: ['-mc', '1'] });
  const [own, heard] = await connected({ servers: [small.address] });
  assert.is((await publishOne(own, heard, outboundOf('one', 'x'))).kind, 'acked');
  const outcome = await publishOne(own, heard, outboundOf('two', 'x'));
  assert.ok(outcome.kind === 'failed' && outcome.error.code === 'MILLRACE_BROKER_FULL' && !outcome.error.retryable);
  assert.is((await publishOne(own, heard, outboundOf('one', 'y'))).kind, 'acked');
  await own.close();
  await small.stop();
});

StreamingPublishSuite('says what is wrong with an address, a cluster, and a client id that is taken', async () => {
  const code = async (changes: Parameters<typeof testOptions>[0]): Promise<string> => {
    const made = createStreamingBroker(
      testOptions({ kind: 'streaming', servers: [server.address], stream: STAN_CLUSTER, connectTimeoutMs: 1_500, ...changes }),
    );
    return made.open(new RecordingListener()).then(
      () => made.close().then(() => 'opened'),
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
  };
  assert.match(await code({ servers: ['127.0.0.1:1'] }), /^MILLRACE_CONNECT: .*127\.0\.0\.1:1/);
  assert.match(await code({ stream: 'nobody' }), /^MILLRACE_CONNECT: .*cluster 'nobody'/);
  const [own] = await connected({ clientId: 'taken' });
  assert.match(await code({ clientId: 'taken' }), /^MILLRACE_CONNECT: .*taken is in use/);
  await own.close();
  await own.close();
  assert.is(await code({ clientId: 'taken' }), 'opened');
  assert.is(await code({ servers: ['127.0.0.1:1', server.address] }), 'opened');
});

if (requireServer('nats-streaming-server') !== null) StreamingPublishSuite.run();
