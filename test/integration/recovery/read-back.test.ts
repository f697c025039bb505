/** Reading a stream back: all of it once and in order, from the earlier of a time and a sequence, over restarts, holes and large messages. */
import { connect as connectNats, headers } from 'nats';
import type { NatsConnection } from 'nats';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import { createDedupeBroker } from '../../../src/processors/dedupe/broker.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { testOptions } from '../nats/options.ts';

const Suite = suite('read-back of a stream');
const ignore = (): void => undefined;
const listener = { acked: ignore, failed: ignore, unknown: ignore, writable: ignore, state: ignore, warning: ignore };
let server: TestServer;
let plain: NatsConnection;
let broker: Broker;
let stream = '';
let streams = 0;

interface Reading {
  readonly sequences: readonly number[];
  readonly last: number;
  readonly bytes: number;
  readonly ids: readonly (string | undefined)[];
}

async function read(from: {
  sequence?: number;
  timeMs?: number;
  headersOnly?: boolean;
  at?: (sequence: number) => void;
}): Promise<Reading> {
  const sequences: number[] = [];
  const ids: (string | undefined)[] = [];
  let bytes = 0;
  const last = await broker.readBack!({
    fromSequence: from.sequence ?? null,
    fromTimeMs: from.timeMs ?? 0,
    headersOnly: from.headersOnly ?? false,
    message: (message) => {
      sequences.push(message.sequence);
      ids.push(message.header('Nats-Msg-Id'));
      bytes += message.payload.length;
      from.at?.(message.sequence);
    },
  });
  return { sequences, last, bytes, ids };
}

async function store(count: number, bytes = 10): Promise<void> {
  const payload = new Uint8Array(bytes);
  for (let index = 0; index < count; index += 1) {
    const head = headers();
    head.set('Nats-Msg-Id', `${stream}-${index}`);
    plain.publish(`${stream}.x`, payload, { headers: head });
    if (index % 100 === 99) await plain.flush();
  }
  await plain.flush();
}

const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);

if (requireServer('nats-server') !== null) {
  Suite.before(async () => {
    server = await startNatsServer();
    plain = await connectNats({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  });
  Suite.after(async () => {
    await plain.close();
    await server.stop();
  });
  Suite.before.each(async () => {
    stream = `BACK${(streams += 1)}`;
    await (await plain.jetstreamManager()).streams.add({ name: stream, subjects: [`${stream}.>`] });
    broker = createDedupeBroker(testOptions({ kind: 'dedupe', stream, servers: [`127.0.0.1:${server.port}`], subjects: [] }));
    await broker.open(listener);
  });
  Suite.after.each(() => broker.close());

  Suite('an empty stream, and one that is not there, have nothing', async () => {
    assert.equal(await read({}), { sequences: [], last: 0, bytes: 0, ids: [] });
    await (await plain.jetstreamManager()).streams.delete(stream);
    assert.equal(await read({}), { sequences: [], last: 0, bytes: 0, ids: [] });
  });

  Suite('all of it, once and in order, with headers, and without payloads when they are not needed', async () => {
    await store(9_000, 20);
    const { sequences, last, bytes, ids } = await read({});
    assert.equal([last, bytes, ids[8_999]], [9_000, 180_000, `${stream}-8999`]);
    assert.equal(sequences, upTo(1, 9_000));
    const light = await read({ headersOnly: true });
    assert.equal([light.sequences.length, light.bytes, light.ids[0]], [9_000, 0, `${stream}-0`]);
  });

  Suite('large messages: more than the server queues for one client', async () => {
    await store(150, 500_000);
    const { sequences, bytes } = await read({});
    assert.equal([sequences.length, bytes], [150, 75_000_000]);
  });

  Suite('from the earlier of time and sequence', async () => {
    await store(100);
    const future = Date.now() + 3_600_000;
    assert.equal((await read({ timeMs: future })).sequences, []);
    assert.is((await read({ timeMs: future })).last, 100);
    assert.equal((await read({ timeMs: future, sequence: 91 })).sequences, upTo(91, 100));
    assert.equal((await read({ timeMs: 0, sequence: 91 })).sequences, upTo(1, 100));
    assert.equal(await read({ timeMs: future, sequence: 101 }), { sequences: [], last: 100, bytes: 0, ids: [] });
  });

  Suite('holes, and an end that was removed, are passed over', async () => {
    await store(50);
    const jsm = await plain.jetstreamManager();
    for (const sequence of [1, 20, 21, 49, 50]) await jsm.streams.deleteMessage(stream, sequence);
    const { sequences, last } = await read({});
    assert.equal(
      sequences,
      upTo(2, 48).filter((sequence) => sequence !== 20 && sequence !== 21),
    );
    assert.is(last, 50, 'the next message is stored after it');
  });

  Suite('what is removed while it is read is not waited for', async () => {
    await store(300, 100_000);
    const jsm = await plain.jetstreamManager();
    const purging: Promise<unknown>[] = [];
    const { sequences, last } = await read({ at: (sequence) => void (sequence === 10 && purging.push(jsm.streams.purge(stream))) });
    await Promise.all(purging);
    assert.equal(sequences, upTo(1, sequences.length));
    assert.is(last, 300);
  });

  Suite('a stream that is deleted while it is read has nothing, and is not waited for', async () => {
    await store(300, 100_000);
    const jsm = await plain.jetstreamManager();
    const deleting: Promise<unknown>[] = [];
    const reading = read({ at: (sequence) => void (sequence === 10 && deleting.push(jsm.streams.delete(stream))) });
    const { sequences, last } = await reading;
    await Promise.all(deleting);
    assert.equal(sequences, upTo(1, sequences.length));
    assert.is(last, 0);
  });

  Suite('a server that is killed in the middle: goes on behind the last message', async () => {
    await store(400, 100_000);
    const restarting: Promise<void>[] = [];
    const { sequences, last } = await read({ at: (sequence) => void (sequence === 50 && restarting.push(server.restart())) });
    await Promise.all(restarting);
    assert.equal(sequences, upTo(1, 400));
    assert.is(last, 400);
  });
}

const Refused = suite('read-back that the broker refuses');
const account = (user: string, denied: string): string =>
  `{ user: ${user}, password: pass, permissions: { publish: { deny: "${denied}" } } }`;
const refusals = [
  { user: 'blind', denied: '$JS.API.STREAM.INFO.>', code: 'MILLRACE_AUTH', says: /STREAM\.INFO/ },
  { user: 'idle', denied: '$JS.API.CONSUMER.CREATE.>', code: 'MILLRACE_AUTH', says: /CONSUMER\.CREATE/ },
  { user: 'mute', denied: '$JS.API.CONSUMER.MSG.NEXT.>', code: 'MILLRACE_AUTH', says: /does not permit.*MSG\.NEXT/ },
  { user: 'crowded', denied: 'nothing', code: 'MILLRACE_BROKER', says: /consumers limit/ },
];

if (requireServer('nats-server') !== null) {
  Refused.before(async () => {
    const users = [...refusals.map(({ user, denied }) => account(user, denied)), '{ user: all, password: pass }'];
    server = await startNatsServer({ config: `authorization { users: [ ${users.join(', ')} ] }` });
    plain = await connectNats({ servers: server.url, user: 'all', pass: 'pass' });
    const jsm = await plain.jetstreamManager();
    for (const { user } of refusals) await jsm.streams.add({ name: user, subjects: [`${user}.>`], max_consumers: 1 });
    for (const { user } of refusals) plain.publish(`${user}.x`, 'one');
    await jsm.consumers.add('crowded', { durable_name: 'the-only-one' });
  });
  Refused.after(async () => {
    await plain.close();
    await server.stop();
  });
  for (const { user, denied, code, says } of refusals)
    Refused(`${user}: one error that is not retryable, at once (${denied} denied)`, async () => {
      const servers = [`127.0.0.1:${server.port}`];
      broker = createDedupeBroker(testOptions({ kind: 'dedupe', stream: user, servers, subjects: [], user, password: 'pass' }));
      await broker.open(listener);
      try {
        const error = await read({}).then(
          () => null,
          (thrown: MillraceError) => thrown,
        );
        assert.equal([error?.code, error?.retryable], [code, false], error?.message);
        assert.match(error?.message ?? '', says);
      } finally {
        await broker.close();
      }
    });
  Refused.run();
}

Suite.run();
