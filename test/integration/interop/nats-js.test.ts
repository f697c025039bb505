/** A plain nats.js pull consumer with msgpackr reads each of our forms, and what plain nats.js publishes is read by us. */
import { connect as connectNats, headers as natsHeaders } from 'nats';
import type { JsMsg, NatsConnection } from 'nats';
import * as assert from 'uvu/assert';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { comparable, eventsOf, open, readEvents, written } from './foreign.ts';
import type { Read } from './foreign.ts';

const InteropSuite = timedSuite('interop: nats.js');
const FETCH_MS = 2_000;
const EVENTS = 1_000;

let server: TestServer;
let plain: NatsConnection;

const urlOf = (stream: string): string => `nats+jetstream://127.0.0.1:${server.port}/${stream}`;
const headerOf =
  (message: JsMsg) =>
  (name: string): string | undefined =>
    message.headers?.get(name) || undefined; // '' = absent.
const records = (count: number): object[] => Array.from({ length: count }, (_, n) => ({ id: `id-${n}`, n, text: 'größe' }));

/** Every stored message, acked one by one by a durable pull consumer. */
async function pulled(stream: string, count: number): Promise<{ readonly messages: JsMsg[]; readonly events: Read[] }> {
  const jsm = await plain.jetstreamManager();
  await jsm.consumers.add(stream, { durable_name: 'plain', ack_policy: 'explicit' as never });
  const consumer = await plain.jetstream().consumers.get(stream, 'plain');
  const messages: JsMsg[] = [];
  const events: Read[] = [];
  while (events.length < count) {
    const before = messages.length;
    for await (const message of await consumer.fetch({ max_messages: 500, expires: FETCH_MS })) {
      messages.push(message);
      events.push(...eventsOf(message.data, headerOf(message)));
      message.ack();
      if (events.length >= count) break;
    }
    assert.ok(messages.length > before, `${events.length} of ${count} events are there`);
  }
  return { messages, events };
}

InteropSuite.before(async () => {
  server = await startNatsServer();
  plain = await connectNats({ servers: server.url });
});
InteropSuite.after(async () => {
  await plain.close();
  await server.stop();
});

InteropSuite('reads what publish sends: one event, its id and its headers', async () => {
  await using ours = await open(urlOf('EACH'));
  await ours.publish('each.a', { n: 1, big: 2n ** 60n }, { id: 'one', headers: { Region: 'eu' } });
  await ours.publish('each.b', Buffer.from([0, 255]));
  const { messages, events } = await pulled('EACH', 2);
  assert.equal(
    messages.map(({ subject }) => subject),
    ['each.a', 'each.b'],
  );
  assert.equal({ ...(events[0]!.event as object) }, { n: 1, big: 2n ** 60n });
  assert.equal([events[0]!.id, messages[0]!.headers?.get('Region')], ['one', 'eu']);
  assert.equal(comparable(events[1]!.event), { bytes: '00ff' });
});

InteropSuite('reads batches whose ids are a field', async () => {
  await using ours = await open(urlOf('BATCH'));
  await ours.ingest(records(EVENTS), { subject: 'batch.b', id: '/id' });
  const { messages, events } = await pulled('BATCH', EVENTS);
  assert.ok(messages.length < EVENTS / 10, `${messages.length} messages`);
  assert.equal(
    events.map(({ event }) => event),
    records(EVENTS),
  );
  assert.equal(
    events.map(({ id }) => id),
    records(EVENTS).map((_, n) => `id-${n}`),
  );
  for (const message of messages) assert.match(message.headers!.get('Millrace-Batch'), /./);
});

InteropSuite('reads envelopes: ids and headers beside each event', async () => {
  await using ours = await open(urlOf('ENVELOPE'), { framing: 'batch', lingerMs: 20 });
  await Promise.all(records(50).map((event, n) => ours.publish('envelope.e', event, { id: `own-${n}`, headers: { N: String(n) } })));
  const { events } = await pulled('ENVELOPE', 50);
  assert.equal(
    events.map(({ id, headers, event }) => ({ id, headers: { ...headers }, event })),
    records(50).map((event, n) => ({ id: `own-${n}`, headers: { N: String(n) }, event })),
  );
});

InteropSuite('what it writes is read by us, in every form', async () => {
  await using ours = await open(urlOf('THEIRS'), { subjects: ['theirs.>'] });
  await ours.publish('theirs.first', 0); // Makes the stream.
  for (const [n, { contentType, payload }] of written.entries()) {
    const headers = natsHeaders();
    if (contentType !== undefined) headers.set('content-type', contentType); // Names of headers have no case.
    headers.set('Trace', `t${n}`);
    await plain.jetstream().publish(`theirs.f${n}`, payload, { headers, msgID: `m${n}` });
  }
  const seen = (await readEvents(ours, 'theirs.>', written.length + 1)).slice(1);
  for (const [n, { name, event }] of written.entries()) {
    const { subject, id, headers } = seen[n]!;
    assert.equal(comparable(seen[n]!.event), comparable(event), name);
    assert.equal([subject, id, headers['Trace']], [`theirs.f${n}`, `m${n}`, `t${n}`], name);
  }
});

InteropSuite('core NATS, both ways', async () => {
  await using ours = await open(server.url);
  const heard: Read[] = [];
  const subscription = plain.subscribe('core.>', {
    max: 2,
    callback: (_, message) => heard.push(...eventsOf(message.data, (name) => message.headers?.get(name) || undefined)),
  });
  await plain.flush();
  await ours.publish('core.a', { n: 1 });
  await ours.publish('core.b', 'two');
  await subscription.closed;
  assert.equal(
    heard.map(({ event }) => event),
    [{ n: 1 }, 'two'],
  );
  const reading = readEvents(ours, 'back.>', 2);
  const timer = setInterval(() => {
    plain.publish('back.json', '{"n":1}');
    plain.publish('back.text', 'words');
  }, 20); // Core NATS keeps nothing: until the subscription is there.
  try {
    const seen = await reading;
    assert.equal(
      seen.slice(0, 2).map(({ event }) => event),
      [{ n: 1 }, 'words'],
    );
  } finally {
    clearInterval(timer);
  }
});

if (requireServer('nats-server') !== null) InteropSuite.run();
