/** JetStream publishing on a real server: stored means acked with a sequence, and what was acked is there byte for byte. */
import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResolvedOptions } from '../../../src/config/resolved.ts';
import type { NatsConnection } from '../../../src/connections/nats-library.ts';
import { connect } from '../../../src/connections/nats-library.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import { createDedupeBroker } from '../../../src/processors/dedupe/broker.ts';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { testOptions } from './options.ts';
import { outboundOf, publishOne, RecordingListener } from './outbound.ts';

const Publish = suite('JetStream publish');
let server: TestServer;
let outside: NatsConnection;
const open: Broker[] = [];

async function opened(changes: Partial<ResolvedOptions>): Promise<{ broker: Broker; listener: RecordingListener }> {
  const options = testOptions({ servers: [`127.0.0.1:${server.port}`], ...changes });
  const broker = changes.kind === 'dedupe' ? createDedupeBroker(options) : createJetStreamBroker(options);
  const listener = new RecordingListener();
  await broker.open(listener);
  open.push(broker);
  return { broker, listener };
}

Publish.before(async () => {
  server = await startNatsServer();
  outside = await connect({ servers: server.url });
});
Publish.after.each(async () => {
  await Promise.all(open.splice(0).map((broker) => broker.close()));
});
Publish.after(async () => {
  await outside.close();
  await server.stop();
});

Publish('acks with ascending sequences, and says duplicate for a message id it has', async () => {
  const { broker, listener } = await opened({ stream: 'ACKS', subjects: ['acks.>'] });
  await broker.prepare(['acks.a']);
  const first = await publishOne(broker, listener, outboundOf('acks.a', 'one', { 'Nats-Msg-Id': 'm1' }));
  const bare = await publishOne(broker, listener, outboundOf('acks.b', 'no headers'));
  const again = await publishOne(broker, listener, outboundOf('acks.a', 'other bytes', { 'Nats-Msg-Id': 'm1' }));
  assert.equal(first, { kind: 'acked', sequence: 1, duplicate: false });
  assert.equal(bare, { kind: 'acked', sequence: 2, duplicate: false });
  assert.equal(again, { kind: 'acked', sequence: 1, duplicate: true });
  assert.is(await broker.lastSequence('acks.a'), 1);
  assert.is(await broker.lastSequence('acks.>'), 2);
  assert.is(await broker.lastSequence('acks.none'), 0);
});

Publish('keeps payloads of every size whole, though their memory is overwritten at the ack', async () => {
  const { broker, listener } = await opened({ stream: 'BYTES', subjects: ['bytes.>'], connections: 2 });
  await broker.prepare(['bytes.a']);
  const hashes = new Map<number, string>();
  const sizes = Array.from({ length: 300 }, (_, index) => [0, 1, 300, 4_095, 4_096, 4_097, 60_000, 300_000][index % 8]!);
  const memories = new Map<number, Uint8Array>();
  listener.onOutcome = (token) => memories.get(token)!.fill(0xee);
  for (const [token, size] of sizes.entries()) {
    const body = Buffer.alloc(size, token % 251);
    const message = outboundOf(`bytes.${token % 7}`, body, token % 3 === 0 ? {} : { 'Nats-Msg-Id': `b-${token}` });
    hashes.set(token, sha(body));
    memories.set(token, message.memory);
    await waitFor('credit', () => broker.tryPublish(message, token));
  }
  await waitFor('all acks', () => listener.outcomes.size === sizes.length);
  const jsm = await outside.jetstreamManager();
  for (const [token, outcome] of listener.outcomes) {
    assert.is(outcome.kind, 'acked');
    if (outcome.kind !== 'acked') continue;
    const stored = await jsm.streams.getMessage('BYTES', { seq: outcome.sequence });
    assert.is(sha(stored.data), hashes.get(token));
    assert.is(stored.subject, `bytes.${token % 7}`);
  }
  assert.equal(listener.twice, []);
});

Publish('keeps the order of each subject over several connections', async () => {
  const { broker, listener } = await opened({ stream: 'ORDER', subjects: ['order.>'], connections: 3 });
  await broker.prepare(['order.a']);
  for (let token = 0; token < 900; token++)
    await waitFor('credit', () => broker.tryPublish(outboundOf(`order.${token % 9}`, String(token)), token));
  await waitFor('all acks', () => listener.outcomes.size === 900);
  for (let subject = 0; subject < 9; subject++) {
    const sequences = [...listener.outcomes].filter(([token]) => token % 9 === subject).sort(([a], [b]) => a - b);
    const stored = sequences.map(([, outcome]) => (outcome.kind === 'acked' ? outcome.sequence : -1));
    assert.equal(
      stored,
      [...stored].sort((a, b) => a - b),
    );
  }
});

Publish('says false without credit and calls writable when there is room again', async () => {
  const { broker, listener } = await opened({ stream: 'CREDIT', subjects: ['credit.>'], maxInFlightMessages: 8 });
  await broker.prepare(['credit.a']);
  let woken = 0;
  listener.onWritable = () => woken++;
  let taken = 0;
  while (broker.tryPublish(outboundOf('credit.a', 'x'), taken)) taken++;
  assert.is(taken, 8);
  await waitFor('writable', () => woken > 0);
  await waitFor('all acks', () => listener.outcomes.size === taken);
});

const refusals = [
  {
    name: 'no stream takes the subject',
    subject: 'nowhere.a',
    bytes: 3,
    millrace: 'MILLRACE_STREAM_MISSING',
    retryable: true,
    config: null,
  },
  {
    name: 'the stream is full and discards the new',
    subject: 'full.a',
    bytes: 3,
    millrace: 'MILLRACE_BROKER_FULL',
    retryable: true,
    config: { max_msgs: 1, discard: 'new' },
  },
  {
    name: 'the stream takes no message so large',
    subject: 'large.a',
    bytes: 2_000,
    millrace: 'MILLRACE_EVENT_TOO_LARGE',
    retryable: false,
    config: { max_msg_size: 1_000 },
  },
  {
    name: 'the server takes no message so large',
    subject: 'huge.a',
    bytes: 1_048_577,
    millrace: 'MILLRACE_EVENT_TOO_LARGE',
    retryable: false,
    config: {},
  },
] as const;
for (const { name, subject, bytes, millrace, retryable, config } of refusals)
  Publish(`fails when ${name}, and the messages behind it go through`, async () => {
    const { broker, listener } = await opened({ stream: 'GOOD', subjects: ['good.>'] });
    await broker.prepare(['good.a']);
    const jsm = await outside.jetstreamManager();
    const root = subject.split('.')[0]!;
    if (config !== null) await jsm.streams.add({ name: root.toUpperCase(), subjects: [`${root}.>`], ...(config as object) });
    if (root === 'full') await publishOne(broker, listener, outboundOf(subject, 'fills it'));
    const refused = await publishOne(broker, listener, outboundOf(subject, Buffer.alloc(bytes)));
    const good = await publishOne(broker, listener, outboundOf('good.a', 'x'));
    assert.is(refused.kind, 'failed');
    if (refused.kind === 'failed')
      assert.equal([refused.error.code, refused.error.retryable, refused.error.outcome], [millrace, retryable, 'failed']);
    assert.is(good.kind, 'acked');
  });

Publish('reports limits and health', async () => {
  const { broker } = await opened({ stream: 'HEALTH', subjects: ['health.>'] });
  const health = await broker.health();
  assert.is(broker.limits().messageBytesMax, 1_048_576);
  assert.equal(health.reasons, []);
  assert.match(health.server ?? '', /^nats-server 2\./);
  assert.ok(health.rttMs !== null);
});

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

if (requireServer('nats-server') !== null) Publish.run();
