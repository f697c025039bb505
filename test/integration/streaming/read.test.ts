/** NATS Streaming, reading: start positions, durables over restarts of either side, groups, manual acks, and what others wrote and read. */
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { createStreamingBroker } from '../../../src/processors/streaming/broker.ts';
import { loadStanLibrary } from '../../../src/processors/streaming/stan-library.ts';
import type { Broker, ConsumeRequest } from '../../../src/processors/broker.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import type { StanServer } from '../../harness/stan-server.ts';
import { STAN_CLUSTER, startStanServer } from '../../harness/stan-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const StreamingReadSuite = timedSuite('streaming read', { timeoutMs: 40_000 });

let server: StanServer;
let broker: Broker;
let listener: RecordingListener;

async function connected(): Promise<readonly [Broker, RecordingListener]> {
  const made = createStreamingBroker(testOptions({ kind: 'streaming', servers: [server.address], stream: STAN_CLUSTER }));
  const listening = new RecordingListener();
  await made.open(listening);
  return [made, listening];
}

async function send(channel: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) assert.is((await publishOne(broker, listener, outboundOf(channel, text))).kind, 'acked');
}

StreamingReadSuite.before(async () => {
  server = await startStanServer();
  [broker, listener] = await connected();
});

StreamingReadSuite.after(async () => {
  await broker.close();
  await server.stop();
});

StreamingReadSuite('starts where it is told to', async () => {
  await send('starts', ['a', 'b', 'c']);
  const betweenMs = await waitFor('the next millisecond', () => Date.now());
  await waitFor('time to pass', () => Date.now() > betweenMs + 50);
  await send('starts', ['d', 'e']);
  const starts: readonly { readonly start: ConsumeRequest['start']; readonly texts: readonly string[] }[] = [
    { start: { kind: 'all' }, texts: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { start: { kind: 'last' }, texts: ['e', 'f'] },
    { start: { kind: 'sequence', sequence: 3 }, texts: ['c', 'd', 'e', 'f'] },
    { start: { kind: 'time', time: new Date(betweenMs + 25) }, texts: ['d', 'e', 'f'] },
    { start: { kind: 'new' }, texts: ['f'] },
  ];
  const collectors = starts.map(() => new Collector());
  const readers = await Promise.all(
    starts.map(({ start }, index) => broker.consume(request({ filter: 'starts', start }), collectors[index]!)),
  );
  await send('starts', ['f']);
  await waitFor('the last', () => collectors.every(({ texts }) => texts.at(-1) === 'f'));
  for (const [index, { start, texts }] of starts.entries()) assert.equal(collectors[index]!.texts, texts, start.kind);
  await Promise.all(readers.map((reader) => reader.close()));
  assert.is(await broker.lastSequence('starts'), 6);
  assert.is(await broker.lastSequence('empty'), 0);
});

StreamingReadSuite('resumes a durable behind what was acked, in another process, and brings the rest again', async () => {
  await send('durable', ['1', '2', '3', '4']);
  const asked = request({ filter: 'durable', durable: 'd', start: { kind: 'all' }, ackWaitMs: 30_000 });
  const [first] = await connected();
  const collector = new Collector({ hold: true });
  const reader = await first.consume(asked, collector);
  await waitFor('all four', () => collector.messages.length === 4);
  for (const { text, handle } of collector.messages) if (Number(text) <= 2) reader.ack(handle);
  await first.close();
  await send('durable', ['5']);
  const [second] = await connected();
  const again = new Collector();
  again.reader = await second.consume(asked, again);
  await waitFor('the rest', () => again.messages.length === 3);
  assert.equal([...again.texts].sort(), ['3', '4', '5']);
  assert.ok(again.messages.filter(({ text }) => text !== '5').every(({ redeliveries }) => redeliveries >= 1));
  await second.close();
});

StreamingReadSuite('goes on after a kill of the server, without a gap, and hands nothing over twice that is still in hand', async () => {
  for (const durable of ['', 'kept']) {
    const channel = `restart${durable}`;
    const collector = new Collector({ hold: true });
    const reader = await broker.consume(request({ filter: channel, durable, start: { kind: 'all' }, ackWaitMs: 1_000 }), collector);
    await send(channel, ['1', '2', '3']);
    await waitFor('three', () => collector.messages.length === 3);
    await reader.flush();
    await server.restart();
    reader.ack(collector.messages[0]!.handle); // Given while there is no session: it must not bring the message back for good.
    await waitFor('the publisher', () => listener.states.at(-1) === 'open');
    await send(channel, ['4']);
    await waitFor('the fourth', () => collector.texts.includes('4'));
    assert.equal(collector.texts, ['1', '2', '3', '4'], `durable '${durable}'`);
    for (const { handle } of collector.messages) reader.ack(handle);
    await reader.close();
  }
  const after = new Collector();
  after.reader = await broker.consume(request({ filter: 'restartkept', durable: 'kept', start: { kind: 'all' } }), after);
  await send('restartkept', ['5']);
  await waitFor('the fifth', () => after.texts.includes('5'));
  assert.equal(after.texts, ['5']);
  await after.reader.close();
});

StreamingReadSuite('acks nothing by itself: what is not acked comes again after the ack wait, with its count', async () => {
  await send('again', ['x']);
  const collector = new Collector({ hold: true });
  const reader = await broker.consume(request({ filter: 'again', start: { kind: 'all' }, ackWaitMs: 1_000 }), collector);
  await waitFor('the first', () => collector.messages.length === 1);
  reader.nak(collector.messages[0]!.handle, 0); // Let go: the protocol has no nak.
  await waitFor('the second', () => collector.messages.length === 2);
  assert.ok(collector.messages[1]!.redeliveries >= 1);
  reader.ack(collector.messages[1]!.handle);
  await reader.close();
});

StreamingReadSuite('shares the work of a queue group, each message once', async () => {
  const [other] = await connected();
  const members = [new Collector(), new Collector()];
  const asked = request({ filter: 'group', queue: 'g', durable: 'g', start: { kind: 'all' }, maxInFlight: 5 });
  members[0]!.reader = await broker.consume(asked, members[0]!);
  members[1]!.reader = await other.consume(asked, members[1]!);
  await send('group', [...Array(100).keys()].map(String));
  await waitFor('all read', () => members[0]!.messages.length + members[1]!.messages.length >= 100);
  const all = members
    .flatMap(({ texts }) => texts)
    .map(Number)
    .sort((a, b) => a - b);
  assert.equal(all, [...Array(100).keys()]);
  assert.ok(members.every(({ messages }) => messages.length > 0));
  await other.close();
});

StreamingReadSuite('reads what a plain client wrote, and a plain client reads bare events', async () => {
  const library = await loadStanLibrary();
  const plain = library.connect(STAN_CLUSTER, 'plain', { url: `nats://${server.address}` });
  await new Promise<void>((resolve) => plain.on('connect', resolve));
  const collector = new Collector();
  collector.reader = await broker.consume(request({ filter: 'interop', start: { kind: 'all' } }), collector);
  plain.publish('interop', Buffer.from('{"a":1}'), () => undefined);
  await waitFor('the plain event', () => collector.texts.includes('{"a":1}'));
  await publishOne(broker, listener, outboundOf('interop', Buffer.of(0x81, 0xa1, 0x61, 1), { 'Content-Type': 'application/msgpack' }));
  const read: Buffer[] = [];
  const options = plain.subscriptionOptions().setDeliverAllAvailable();
  plain.subscribe('interop', options).on('message', (message) => void read.push(message.getRawData()));
  await waitFor('both', () => read.length === 2);
  assert.equal(read, [Buffer.from('{"a":1}'), Buffer.of(0x81, 0xa1, 0x61, 1)]);
  await collector.reader.close();
  await new Promise<void>((resolve) => {
    plain.on('close', resolve);
    plain.close();
  });
});

const refused = [
  { name: 'a wildcard', changes: { filter: 'a.>' }, code: 'MILLRACE_NOT_SUPPORTED' },
  { name: 'an empty token', changes: { filter: 'a..b' }, code: 'MILLRACE_SUBJECT_INVALID' },
  { name: 'a durable with a colon', changes: { filter: 'a', durable: 'x:y' }, code: 'MILLRACE_USAGE' },
] as const;
for (const { name, changes, code } of refused)
  StreamingReadSuite(`refuses ${name}`, async () => {
    const error = await broker.consume(request(changes), new Collector()).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, code);
  });

StreamingReadSuite('is healthy, and says when it is not', async () => {
  const health = await broker.health();
  assert.equal(health.reasons, []);
  assert.ok(health.rttMs !== null && health.server?.includes('nats-streaming-server'));
  const [other] = await connected();
  await other.close();
  assert.equal((await other.health()).reasons, ['not open']);
});

if (requireServer('nats-streaming-server') !== null) StreamingReadSuite.run();
