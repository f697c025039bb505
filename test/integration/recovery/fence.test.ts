/** Another producer writes between read-back and first publish: the fence notices, and each id is stored once all the same. */
import { connect as connectNats, headers } from 'nats';
import type { NatsConnection } from 'nats';
import { pack } from 'msgpackr';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine } from '../../../src/engine/engine.ts';
import { identityOfFile } from '../../../src/engine/source-name.ts';
import type { Broker, ReadBackRequest } from '../../../src/processors/broker.ts';
import { createDedupeBroker } from '../../../src/processors/dedupe/broker.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { testOptions } from '../nats/options.ts';
import { eventsFile } from './kill-rig.ts';
import type { Scratch } from './kill-rig.ts';
import { notOnce, storedEvents } from './stored-events.ts';
import { readFileSync, statSync } from 'node:fs';

const EVENTS = 3_000;
const Suite = suite('the fence');
let server: TestServer;
let other: NatsConnection;
let scratch: Scratch;
let lines: readonly string[];

/** The broker, and `after` called after each read-back. */
function watched(broker: Broker, after: (round: number) => Promise<void>): Broker {
  let round = 0;
  const readBack = async (request: ReadBackRequest): Promise<number> => {
    const last = await broker.readBack!(request);
    await after(round++);
    return last;
  };
  return new Proxy(broker, {
    get: (target, name) => {
      if (name === 'readBack') return readBack;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

async function open(
  stream: string,
  workers: number,
  after: (round: number) => Promise<void>,
): Promise<{ engine: Engine; warnings: string[] }> {
  const options = testOptions({
    kind: 'dedupe',
    stream,
    servers: [`127.0.0.1:${server.port}`],
    subjects: [],
    workers,
    slabBytes: 65_536,
    batchBytes: 16_384,
    dedupeCapacity: 65_536,
    url: stream,
  });
  const engine = await Engine.open(options, { broker: watched(createDedupeBroker(options), after) });
  const warnings: string[] = [];
  engine.on('warning', (message) => warnings.push(message));
  return { engine, warnings };
}

/** As an earlier process would have: one message per event. */
async function storeEach(subject: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) {
    const head = headers();
    head.set('Content-Type', 'application/msgpack');
    head.set('Nats-Msg-Id', `e-${n}`);
    await other.jetstream().publish(subject, pack(JSON.parse(lines[n]!)), { headers: head });
  }
}

/** The records from `from` to `to` as one batch by position. */
async function storeRange(subject: string, from: number, to: number): Promise<void> {
  const start = lines.slice(0, from).join('').length;
  const end = start + lines.slice(from, to).join('').length;
  const head = headers();
  for (const [name, value] of [
    ['Content-Type', 'application/msgpack'],
    ['Millrace-Count', String(to - from)],
    ['Millrace-Batch', `other-${from}`],
    ['Nats-Msg-Id', `other-${from}`],
    ['Millrace-Source', `${identityOfFile(statSync(scratch.file, { bigint: true }))} ${start}-${end}`],
  ] as const)
    head.set(name, value);
  await other.jetstream().publish(subject, pack(lines.slice(from, to).map((line) => JSON.parse(line) as unknown)), { headers: head });
}

const cases = [
  { name: 'a field, once', rounds: 1, id: '/id', store: storeEach, workers: 1 },
  { name: 'a field, twice, inline', rounds: 2, id: '/id', store: storeEach, workers: 0 },
  { name: 'the position, once', rounds: 1, id: 'offset', store: storeRange, workers: 1 },
  { name: 'the position, twice, with two workers', rounds: 2, id: 'offset', store: storeRange, workers: 2 },
] as const;

if (requireServer('nats-server') !== null) {
  Suite.before(async () => {
    server = await startNatsServer();
    other = await connectNats({ servers: server.url });
    scratch = eventsFile(EVENTS);
    lines = readFileSync(scratch.file, 'utf8').split(/(?<=\n)/);
  });
  Suite.after(async () => {
    await other.close();
    await server.stop();
    scratch.remove();
  });

  for (const [index, { name, rounds, id, store, workers }] of cases.entries()) {
    Suite(`stores each event once when others write, by ${name}`, async () => {
      const stream = `FENCE${index}`;
      const subject = `fence${index}`;
      const { engine, warnings } = await open(stream, workers, async (round) => {
        if (round < rounds) await store(subject, 40 * round, 40 * (round + 1));
      });
      const report = await engine.ingest(scratch.file, { subject, id });
      await engine.close();
      assert.is(notOnce(await storedEvents(server.url, stream), EVENTS), '');
      assert.equal([report.accepted, report.duplicates, report.acked, warnings], [EVENTS, 40 * rounds, EVENTS - 40 * rounds, []]);
    });
  }

  Suite('goes on and says so when others never stop', async () => {
    const { engine, warnings } = await open('BUSY', 1, (round) => storeEach('busy', round, round + 1));
    const report = await engine.ingest(scratch.file, { subject: 'busy', id: '/id' });
    await engine.close();
    assert.is(report.accepted, EVENTS);
    assert.is(report.acked + report.duplicates, EVENTS);
    assert.is(warnings.length, 1);
    assert.match(warnings[0]!, /moved the stream 3 times/);
    const { copies } = await storedEvents(server.url, 'BUSY');
    assert.is(copies.size, EVENTS);
  });

  Suite('publish: an id that another producer stored meanwhile is a duplicate', async () => {
    const { engine } = await open('ONE', 0, async (round) => {
      if (round === 0) await storeEach('one', 5, 6);
    });
    const receipts = await Promise.all([5, 6].map((n) => engine.publish('one', JSON.parse(lines[n]!), { id: `e-${n}` })));
    assert.equal(
      receipts.map(({ duplicate }) => duplicate),
      [true, false],
    );
    await engine.close();
  });

  Suite('closing while the fence is up settles everything', async () => {
    const { engine } = await open('CLOSE', 1, () => Promise.resolve());
    const publishing = Promise.allSettled(Array.from({ length: 50 }, (_, n) => engine.publish('close', { n }, { id: `c-${n}` })));
    await engine.close();
    const outcomes = await publishing;
    assert.is(outcomes.length, 50);
    assert.is(engine.stats().inFlight, 0);
  });
}

Suite.run();
