/** The broker killed in the middle: what was on the wire is unknown at once, and resent with its id it is stored exactly once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/connections/nats-library.ts';
import type { Broker, OutboundMessage } from '../../../src/processors/broker.ts';
import { createDedupeBroker } from '../../../src/processors/dedupe/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { testOptions } from './options.ts';
import { outboundOf, RecordingListener } from './outbound.ts';

const Restart = suite('JetStream restart');
const MESSAGES = 2_000;
let server: TestServer;
let broker: Broker;

Restart.before(async () => {
  server = await startNatsServer();
});
Restart.after.each(() => broker.close());
Restart.after(() => server.stop());

/** Publishes all, again and again where the outcome was unknown or may be retried, as the engine does. */
class Resender {
  readonly listener = new RecordingListener();
  readonly #messages: readonly OutboundMessage[];
  readonly #ready: number[];
  acked = 0;
  unknown = 0;
  duplicates = 0;

  constructor(messages: readonly OutboundMessage[]) {
    this.#messages = messages;
    this.#ready = messages.map((_, token) => token);
    this.listener.onWritable = () => this.pump();
    this.listener.onOutcome = (token, outcome) => {
      if (outcome.kind === 'acked') {
        this.acked++;
        if (outcome.duplicate) this.duplicates++;
        return;
      }
      assert.ok(outcome.error.retryable, outcome.error.message);
      if (outcome.kind === 'unknown') this.unknown++;
      this.listener.outcomes.delete(token);
      this.#ready.push(token);
      setImmediate(() => this.pump());
    };
  }

  pump(): void {
    while (this.#ready.length > 0 && broker.tryPublish(this.#messages[this.#ready[0]!]!, this.#ready[0]!)) this.#ready.shift();
  }
}

for (const payloadBytes of [214, 20_000])
  Restart(`stores each of ${MESSAGES} messages of ${payloadBytes} B exactly once over a kill`, async () => {
    const stream = `KILL${payloadBytes}`;
    broker = createDedupeBroker(
      testOptions({
        kind: 'dedupe',
        servers: [`127.0.0.1:${server.port}`],
        stream,
        subjects: [`kill${payloadBytes}.>`],
        maxInFlightMessages: 400,
      }),
    );
    const messages = Array.from({ length: MESSAGES }, (_, index) =>
      outboundOf(`kill${payloadBytes}.${index % 3}`, Buffer.alloc(payloadBytes, index % 256), { 'Nats-Msg-Id': `id-${index}` }),
    );
    const sender = new Resender(messages);
    await broker.open(sender.listener);
    await broker.prepare([`kill${payloadBytes}.a`]);
    sender.pump();
    await waitFor('a third of the acks', () => sender.acked > MESSAGES / 3);
    const killed = server.kill('SIGKILL');
    await waitFor('the disconnect', () => sender.listener.states.includes('reconnecting'));
    await killed;
    assert.ok(sender.unknown > 0, 'the kill must hit messages in flight');
    const refused = broker.tryPublish(messages[0]!, 0);
    assert.is(refused, false);
    await server.restart();
    await waitFor('all acks', () => sender.acked === MESSAGES, 30_000);
    assert.equal(sender.listener.twice, []);
    assert.is(sender.listener.states.at(-1), 'open');
    const outside = await connect({ servers: server.url });
    const { state } = await (await outside.jetstreamManager()).streams.info(stream);
    await outside.close();
    assert.is(state.messages, MESSAGES);
  });

Restart('times out as unknown when the server is stopped, and the late ack of a slot used again counts for nobody', async () => {
  const options = testOptions({
    servers: [`127.0.0.1:${server.port}`],
    stream: 'STOPPED',
    subjects: ['stopped.>'],
    publishTimeoutMs: 200,
    maxInFlightMessages: 1,
  });
  broker = createDedupeBroker(options);
  const listener = new RecordingListener();
  await broker.open(listener);
  await broker.prepare(['stopped.a']);
  await server.kill('SIGSTOP');
  try {
    assert.ok(broker.tryPublish(outboundOf('stopped.a', 'first'), 1));
    const first = await waitFor('the timeout', () => listener.outcomes.get(1));
    assert.is(first.kind, 'unknown');
    if (first.kind === 'unknown') assert.is(first.error.code, 'MILLRACE_PUBLISH_TIMEOUT');
    assert.ok(broker.tryPublish(outboundOf('stopped.a', 'second'), 2));
  } finally {
    await server.kill('SIGCONT');
  }
  const second = await waitFor('the second ack', () => listener.outcomes.get(2));
  assert.equal(second, { kind: 'acked', sequence: 2, duplicate: false });
  assert.equal(listener.twice, []);
});

Restart('frees a queue that a stopped server does not take: unknown for all, and nothing waits for ever', async () => {
  const options = testOptions({
    servers: [`127.0.0.1:${server.port}`],
    stream: 'STUCK',
    subjects: ['stuck.>'],
    publishTimeoutMs: 200,
    maxInFlightBytes: 64 * 1_048_576,
    pingIntervalMs: 60_000,
  });
  broker = createDedupeBroker(options);
  const listener = new RecordingListener();
  await broker.open(listener);
  await broker.prepare(['stuck.a']);
  await server.kill('SIGSTOP');
  let taken = 0;
  try {
    while (taken < 60 && broker.tryPublish(outboundOf('stuck.a', Buffer.alloc(1_000_000, 1)), taken)) taken++;
    await waitFor('an outcome for each', () => listener.outcomes.size === taken);
  } finally {
    await server.kill('SIGCONT');
  }
  assert.is(taken, 60);
  assert.ok([...listener.outcomes.values()].every((outcome) => outcome.kind === 'unknown'));
  await waitFor('the connection', () => listener.states.at(-1) === 'open');
});

if (requireServer('nats-server') !== null) Restart.run();
