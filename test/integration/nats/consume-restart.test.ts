/** JetStream reading over restarts and losses: without gaps, in portions that the server can hold, with acks that are not forgotten. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { outboundOf } from './outbound.ts';
import { asked, range, ReadingRig } from './reading-rig.ts';

const Consume = suite('JetStream consume over restarts');
const rig = new ReadingRig();
rig.serve(Consume);

const restarts = [
  { name: 'with acks', changes: {}, ack: true },
  { name: 'with a durable', changes: { durable: 'd' }, ack: true },
  { name: 'without acks', changes: { noAck: true }, ack: false },
] as const;
for (const { name, changes, ack } of restarts)
  Consume(`reads each message over a restart of the rig.server, ${name}`, async () => {
    await rig.store(3_000);
    const seen = new Set<number>();
    let kill = (): void => undefined;
    const killed = new Promise<void>((resolve) => (kill = resolve));
    const { got } = await rig.reading({ ...changes, maxInFlight: 200, ackWaitMs: 1_000 }, (self, read) => {
      seen.add(read.sequence);
      if (seen.size === 1_000) kill();
      if (ack) queueMicrotask(() => self().ack(read.handle));
    });
    await killed;
    await rig.server.kill('SIGKILL');
    await rig.server.restart();
    await waitFor('the connections', () => rig.listener.states.at(-1) === 'open');
    await rig.store(100, 3_001);
    await waitFor('all', () => seen.size === 3_100, 30_000);
    assert.is(got.error, undefined);
    if (!ack) assert.equal(got.sequences, range(1, 3_100));
  });

Consume('asks for large messages in portions: the rig.server never takes the reader for slow', async () => {
  const count = 1_500; // 90 MB: more than the 64 MB that a rig.server queues for one client.
  const message = outboundOf(`read${rig.number}.a`, Buffer.alloc(60_000, 7));
  for (let token = 0; token < count; token++) await waitFor('credit', () => rig.broker.tryPublish(message, token));
  await waitFor('the acks', () => rig.listener.outcomes.size === count);
  let bytes = 0;
  let read = 0;
  const receiver = { message: ({ payload }: { payload: Uint8Array }) => void (read++, (bytes += payload.length)), ended: () => undefined };
  const reader = await rig.broker.consume({ ...asked, noAck: true, maxInFlight: 2_000 }, receiver);
  await waitFor('all', () => read === count, 30_000);
  await reader.close();
  assert.is(bytes, count * 60_000);
  assert.not.match(rig.server.log, /Slow Consumer/);
});

Consume('keeps acks given while the rig.server is away, and sends them when it is back', async () => {
  await rig.store(5);
  const { reader, got } = await rig.reading({ durable: 'away' });
  await waitFor('five', () => got.read.length === 5);
  // Not SIGKILL: a rig.server so killed may forget what it had delivered, and then acks mean nothing to it.
  await rig.server.kill('SIGTERM');
  await waitFor('the disconnect', () => rig.listener.states.at(-1) === 'reconnecting');
  for (const { handle } of got.read) reader.ack(handle);
  await rig.server.restart();
  await waitFor('the connections', () => rig.listener.states.at(-1) === 'open');
  const jsm = await rig.outside.jetstreamManager({ checkAPI: false });
  const unacked = async (): Promise<number | undefined> =>
    (await jsm.consumers.info(`READ${rig.number}`, 'away').catch(() => null))?.num_ack_pending;
  await waitFor('the acks', async () => (await unacked()) === 0);
  assert.is(got.read.length, 5);
});

Consume('makes a lost nameless consumer again behind the last message', async () => {
  await rig.store(10);
  const { got } = await rig.reading({ maxInFlight: 5 }, (self, read) => queueMicrotask(() => self().ack(read.handle)));
  await waitFor('ten', () => got.read.length === 10);
  const jsm = await rig.outside.jetstreamManager();
  const names = await jsm.consumers.list(`READ${rig.number}`).next();
  await jsm.consumers.delete(`READ${rig.number}`, names[0]!.name);
  await rig.store(10, 11);
  await waitFor('twenty', () => got.read.length === 20);
  assert.equal(got.sequences, range(1, 20));
});

if (requireServer('nats-server') !== null) Consume.run();
