/** Fast ingest on a real server: every message is stored once and in order, over kills, lost answers and long pauses; where it is refused, the other way. */
import * as assert from 'uvu/assert';
import type { ResolvedOptions } from '../../../src/config/resolved.ts';
import type { NatsConnection } from '../../../src/connections/nats-library.ts';
import { connect } from '../../../src/connections/nats-library.ts';
import type { Broker, OutboundMessage } from '../../../src/processors/broker.ts';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { startProxy } from '../../harness/tcp-proxy.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { testOptions } from './options.ts';
import { outboundOf, RecordingListener } from './outbound.ts';

const Fast = timedSuite('fast ingest', { timeoutMs: 60_000 });
const HEADERS = { 'Content-Type': 'application/msgpack' };
let server: TestServer;
let outside: NatsConnection;
const open: (() => Promise<unknown>)[] = [];

Fast.before(async () => {
  server = await startNatsServer();
  outside = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
});
Fast.after.each(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
Fast.after(async () => {
  await outside.close();
  await server.stop();
});

/** Publishes all in order, and again what may be retried, as the engine does. */
class Sender {
  readonly listener = new RecordingListener();
  readonly acked = new Set<number>();
  readonly #broker: Broker;
  #messages: OutboundMessage[] = [];
  #ready: number[] = [];
  again = 0;

  constructor(changes: Partial<ResolvedOptions>) {
    this.#broker = createJetStreamBroker(testOptions({ servers: [`127.0.0.1:${server.port}`], ...changes }));
    this.listener.onWritable = () => this.pump();
    this.listener.onOutcome = (token, outcome) => {
      if (outcome.kind === 'acked') {
        this.acked.add(token);
        return;
      }
      assert.ok(outcome.error.retryable, outcome.error.message);
      this.again++;
      this.listener.outcomes.delete(token);
      this.#ready.push(token);
      this.#ready.sort((a, b) => a - b); // In the order they were sent, as the engine's retries are.
      setImmediate(() => this.pump());
    };
  }

  async open(subject: string): Promise<Broker> {
    open.push(() => this.#broker.close());
    await this.#broker.open(this.listener);
    await this.#broker.prepare([subject]);
    return this.#broker;
  }

  add(messages: readonly OutboundMessage[]): void {
    const first = this.#messages.length;
    this.#messages.push(...messages);
    this.#ready.push(...messages.map((_, index) => first + index));
    this.pump();
  }

  pump(): void {
    while (this.#ready.length > 0 && this.#broker.tryPublish(this.#messages[this.#ready[0]!]!, this.#ready[0]!)) this.#ready.shift();
  }
}

const ours = (root: string, count: number, bytes = 200): OutboundMessage[] =>
  Array.from({ length: count }, (_, index) => outboundOf(`${root}.${index % 3}`, `${index}`.padEnd(bytes, '.'), HEADERS));

/** Numbers of our messages in the stream, in stored order. */
async function numbersIn(stream: string): Promise<number[]> {
  const broker = createJetStreamBroker(testOptions({ servers: [`127.0.0.1:${server.port}`], stream }));
  await broker.open(new RecordingListener());
  const numbers: number[] = [];
  try {
    await broker.readBack!({
      fromSequence: 1,
      fromTimeMs: 0,
      headersOnly: false,
      message: ({ payload, subject }) =>
        void (subject.endsWith('.other') || numbers.push(Number.parseInt(Buffer.from(payload).toString(), 10))),
    });
  } finally {
    await broker.close();
  }
  return numbers;
}

/** All from 0 on, each once; `inOrder` where nothing can have been sent twice. */
function assertWhole(numbers: readonly number[], count: number, inOrder: boolean): void {
  const seen = new Set(numbers);
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !seen.has(index));
  assert.equal([missing, numbers.length - seen.size, seen.size], [[], 0, count]);
  if (inOrder)
    assert.is(
      numbers.findIndex((number, index) => number !== index),
      -1,
    );
}

for (const [name, count, bytes] of [
  ['one', 1, 10],
  ['less than a flow', 499, 200],
  ['whole flows', 2_000, 200],
  ['an odd number', 5_501, 200],
  ['large ones', 60, 300_000],
] as const)
  Fast(`stores each once and in order: ${name}`, async () => {
    const stream = `HAPPY${count}`;
    const sender = new Sender({ stream, subjects: [`happy${count}.>`] });
    const broker = await sender.open(`happy${count}.a`);
    assert.is(broker.path, 'fast-ingest');
    assert.is(broker.resendsWithoutIds, true);
    sender.add(ours(`happy${count}`, count, bytes));
    await waitFor('all acks', () => sender.acked.size === count, 30_000);
    assert.equal([sender.again, sender.listener.twice], [0, []]);
    assertWhole(await numbersIn(stream), count, true);
  });

for (const others of [false, true])
  Fast(`stores each exactly once over a kill in mid batch, ${others ? 'while another producer writes' : 'alone'}`, async () => {
    const root = `kill${Number(others)}`;
    const count = 20_000;
    const sender = new Sender({ stream: root.toUpperCase(), subjects: [`${root}.>`] });
    await sender.open(`${root}.a`);
    const other = others
      ? setInterval(() => outside.isClosed() || outside.publish(`${root}.other`, Buffer.from(`${Math.random()}`)), 1)
      : undefined;
    try {
      sender.add(ours(root, count));
      await waitFor('a third of the acks', () => sender.acked.size > count / 3);
      await server.restart();
      await waitFor('all acks', () => sender.acked.size === count, 30_000);
    } finally {
      clearInterval(other);
    }
    assert.ok(sender.listener.states.includes('reconnecting'));
    assert.equal(sender.listener.twice, []);
    assertWhole(await numbersIn(root.toUpperCase()), count, true);
  });

Fast('finds what a living server stored when the connection was reset', async () => {
  const proxy = await startProxy(server.port);
  open.push(() => proxy.stop());
  const sender = new Sender({ stream: 'RESET', subjects: ['reset.>'], servers: [`127.0.0.1:${proxy.port}`] });
  await sender.open('reset.a');
  sender.add(ours('reset', 20_000));
  await waitFor('a third of the acks', () => sender.acked.size > 6_000);
  proxy.reset();
  await waitFor('all acks', () => sender.acked.size === 20_000, 30_000);
  assertWhole(await numbersIn('RESET'), 20_000, true);
});

Fast('asks again for answers that were lost', async () => {
  const proxy = await startProxy(server.port);
  open.push(() => proxy.stop());
  const sender = new Sender({ stream: 'DEAF', subjects: ['deaf.>'], servers: [`127.0.0.1:${proxy.port}`], publishTimeoutMs: 900 });
  await sender.open('deaf.a');
  sender.add(ours('deaf', 3_000));
  await waitFor('some acks', () => sender.acked.size >= 500);
  proxy.deaf = true;
  sender.add(ours('deaf', 6_000).slice(3_000));
  await waitFor('answers to be lost', () => proxy.lost > 0);
  proxy.deaf = false;
  await waitFor('all acks', () => sender.acked.size === 6_000, 30_000);
  assert.equal(sender.listener.twice, []);
  assertWhole(await numbersIn('DEAF'), 6_000, true);
});

Fast('goes on after a pause longer than the broker keeps a batch', async () => {
  const idle = await startNatsServer({ config: 'jetstream { limits { batch { timeout: 300ms } } }' });
  open.push(() => idle.stop());
  const sender = new Sender({ stream: 'IDLE', subjects: ['idle.>'], servers: [`127.0.0.1:${idle.port}`] });
  await sender.open('idle.a');
  sender.add(ours('idle', 700));
  await waitFor('the first acks', () => sender.acked.size === 700);
  const sinceMs = performance.now();
  await waitFor('the pause to be long', () => performance.now() - sinceMs > 600);
  sender.add(ours('idle', 1_400).slice(700));
  await waitFor('all acks', () => sender.acked.size === 1_400);
  assert.is(sender.again, 0);
});

for (const [name, config] of [
  ['the stream takes no batches', { allow_batched: false }],
  ['messages are removed when they are acked', { allow_batched: true, retention: 'workqueue' }],
] as const)
  Fast(`takes the other way when ${name}`, async () => {
    const root = name.includes('removed') ? 'queue' : 'plain';
    const jsm = await outside.jetstreamManager();
    await jsm.streams.add({ name: root.toUpperCase(), subjects: [`${root}.>`], ...(config as object) });
    const sender = new Sender({ stream: root.toUpperCase(), subjects: [`${root}.>`] });
    const broker = await sender.open(`${root}.a`);
    assert.equal([broker.path, broker.resendsWithoutIds], ['multiplexer', false]);
    sender.add(ours(root, 100));
    await waitFor('all acks', () => sender.acked.size === 100);
  });

Fast('takes the other way, and says so, when the stream stops taking batches', async () => {
  const sender = new Sender({ stream: 'EDITED', subjects: ['edited.>'] });
  const broker = await sender.open('edited.a');
  sender.add(ours('edited', 1_000));
  await waitFor('all acks', () => sender.acked.size === 1_000);
  const jsm = await outside.jetstreamManager();
  await jsm.streams.update('EDITED', { allow_batched: false } as object);
  sender.add(ours('edited', 3_000).slice(1_000));
  await waitFor('all acks', () => sender.acked.size === 3_000);
  assert.is(broker.path, 'multiplexer');
  assert.match(sender.listener.warnings.join(), /refuses fast ingest/);
  assertWhole(await numbersIn('EDITED'), 3_000, false);
});

Fast('fails a message that the stream refuses, and stores those around it', async () => {
  const jsm = await outside.jetstreamManager();
  await jsm.streams.add({ name: 'SIZED', subjects: ['sized.>'], max_msg_size: 1_000, ...({ allow_batched: true } as object) });
  const broker = createJetStreamBroker(testOptions({ servers: [`127.0.0.1:${server.port}`], stream: 'SIZED', subjects: ['sized.>'] }));
  const listener = new RecordingListener();
  open.push(() => broker.close());
  await broker.open(listener);
  await broker.prepare(['sized.a']);
  assert.is(broker.path, 'fast-ingest');
  const messages = [10, 10, 5_000, 10].map((bytes, index) => outboundOf('sized.a', `${index}`.padEnd(bytes, '.'), HEADERS));
  for (const [token, message] of messages.entries()) await waitFor('credit', () => broker.tryPublish(message, token));
  const outcomes = await waitFor('all outcomes', () => (listener.outcomes.size === 4 ? listener.outcomes : undefined));
  assert.equal(
    [...outcomes].sort(([a], [b]) => a - b).map(([, { kind }]) => kind),
    ['acked', 'acked', 'failed', 'unknown'],
  );
  const refused = outcomes.get(2)!;
  assert.is(refused.kind === 'failed' && refused.error.code, 'MILLRACE_EVENT_TOO_LARGE');
  assert.equal(await numbersIn('SIZED'), [0, 1]);
});

if (requireServer('nats-server') !== null) Fast.run();
