/** node-nats-streaming alone reads what we store, bare and wrapped, and we read what it publishes. */
import stanLibrary from 'node-nats-streaming';
import type { Stan } from 'node-nats-streaming';
import { addExtension, unpack, Unpackr } from 'msgpackr';
import * as assert from 'uvu/assert';
import { requireServer } from '../../harness/resolve-server.ts';
import { STAN_CLUSTER, startStanServer } from '../../harness/stan-server.ts';
import type { StanServer } from '../../harness/stan-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { comparable, eventsOf, ndjson, open, readEvents, written } from './foreign.ts';

const InteropSuite = timedSuite('interop: node-nats-streaming');
const WRAPPER_TYPE = 77;
let server: StanServer;
let plain: Stan;

async function received(channel: string, count: number): Promise<Buffer[]> {
  const payloads: Buffer[] = [];
  const subscription = plain.subscribe(channel, plain.subscriptionOptions().setDeliverAllAvailable());
  subscription.on('message', (message: { getRawData(): Buffer }) => payloads.push(message.getRawData()));
  await waitFor(`${count} messages of ${channel}`, () => payloads.length >= count);
  subscription.unsubscribe();
  return payloads;
}

/** Takes the ext type 77 apart with what a plain msgpack library has for that. */
function unwrapped(message: Buffer): { readonly headers: Record<string, string>; readonly payload: Buffer } {
  const inner: Uint8Array[] = [];
  addExtension({
    Class: class Wrapper {},
    type: WRAPPER_TYPE,
    pack: () => Buffer.alloc(0),
    unpack: (data: Uint8Array) => void inner.push(data.slice()),
  } as never);
  const plainUnpackr = new Unpackr({ useRecords: false });
  plainUnpackr.unpack(message);
  return plainUnpackr.unpack(Buffer.from(inner[0]!)) as { headers: Record<string, string>; payload: Buffer };
}

InteropSuite.before(async () => {
  server = await startStanServer();
  plain = stanLibrary.connect(STAN_CLUSTER, 'plain', { url: `nats://${server.address}` });
  await new Promise<void>((resolve, reject) => plain.once('connect', () => resolve()).once('error', reject));
});
InteropSuite.after(async () => {
  const closed = new Promise<void>((resolve) => plain.once('close', () => resolve()));
  plain.close();
  await closed;
  await server.stop();
});

InteropSuite('reads our events: plain msgpack, or a map of headers and payload in the ext type 77', async () => {
  await using ours = await open(`stan://${server.address}/${STAN_CLUSTER}`);
  await ours.publish('ours', { n: 1, text: 'größe' });
  await ours.publish('ours', { n: 2 }, { id: 'two', headers: { Region: 'eu' } });
  const [bare, wrapped] = await received('ours', 2);
  assert.equal(unpack(bare!), { n: 1, text: 'größe' });
  assert.throws(() => unpack(wrapped!)); // An unknown ext is not taken for an event.
  const { headers, payload } = unwrapped(wrapped!);
  assert.equal(unpack(payload), { n: 2 });
  assert.equal([headers['Region'], headers['Nats-Msg-Id']], ['eu', 'two']);
});

InteropSuite('reads our batches: an array in the payload, its count in the headers', async () => {
  await using ours = await open(`stan://${server.address}/${STAN_CLUSTER}`);
  const records = Array.from({ length: 50 }, (_, n) => ({ id: `b${n}`, n }));
  await ours.ingest(ndjson(records), { subject: 'batches', format: 'ndjson', id: '/id' });
  const { headers, payload } = unwrapped((await received('batches', 1))[0]!);
  assert.equal(
    eventsOf(payload, (name) => headers[name]),
    records.map((event) => ({ id: event.id, headers: null, event })),
  );
});

InteropSuite('what it publishes is read by us', async () => {
  await using ours = await open(`stan://${server.address}/${STAN_CLUSTER}`);
  const bare = written.filter(({ contentType }) => contentType === undefined || contentType === 'application/msgpack'); // It has no headers.
  for (const { payload } of bare)
    await new Promise<void>((resolve, reject) => plain.publish('theirs', payload, (error) => (error ? reject(error) : resolve())));
  const seen = await readEvents(ours, 'theirs', bare.length);
  for (const [n, { name, event }] of bare.entries()) assert.equal(comparable(seen[n]!.event), comparable(event), name);
});

if (requireServer('nats-streaming-server') !== null) InteropSuite.run();
