/** Strict order holds per subject over refusals, doubt and broken connections, for the ingest that asks for it; relaxed lets others pass. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { IngestOptions } from '../../../src/api/options.ts';
import type { IngestReport } from '../../../src/api/report.ts';
import type { ConnectOptions } from '../../../src/config/table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import type { Answer, FakeBrokerOptions, Step } from './fake-broker.ts';
import { judge } from './fault-judge.ts';
import { agrees, closes, openOn, publishAll } from './fault-run.ts';

const Ordering = timedSuite('ordering', { timeoutMs: 60_000 });
const EACH: ConnectOptions = { framing: 'batch', batchEvents: 1, slabs: 4, slabBytes: 16_384, maxAttempts: 1_000 };

interface Item {
  readonly s: string;
  readonly n: number;
}

const items = (subjects: readonly string[], count: number): Item[] =>
  Array.from({ length: count * subjects.length }, (_, index) => ({
    s: subjects[index % subjects.length]!,
    n: Math.floor(index / subjects.length),
  }));

async function* linesOf(given: readonly Item[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(given.map((item) => JSON.stringify(item)).join('\n'));
}

function ingest(engine: Engine, given: readonly Item[], options: IngestOptions = {}): Promise<IngestReport> {
  return within('ingest ends', 10_000, () => engine.ingest(linesOf(given), { subject: 't.{s}', id: 'none', ...options }));
}

const stored = (broker: FakeBroker): string[] =>
  broker.stored.flatMap(({ events }) => (events as readonly Item[]).map(({ s, n }) => `${s}${n}`));
const of = (all: readonly string[], subject: string): string[] => all.filter((name) => name.startsWith(subject));

/** The first message is refused, late, and taken at the next attempt. */
const REFUSED_FIRST: FakeBrokerOptions = { steps: [{ answer: 'later', turns: 8 }], faultsMax: 1, inFlightMax: 8 };

const cases: readonly {
  readonly name: string;
  readonly connect?: 'strict' | 'relaxed';
  readonly call?: 'strict' | 'relaxed';
  readonly strict: boolean;
}[] = [
  { name: 'by default', strict: false },
  { name: 'strict by connect', connect: 'strict', strict: true },
  { name: 'strict by ingest', call: 'strict', strict: true },
  { name: 'relaxed by ingest, strict by connect', connect: 'strict', call: 'relaxed', strict: false },
  { name: 'strict by ingest, relaxed by connect', connect: 'relaxed', call: 'strict', strict: true },
];
for (const { name, connect, call, strict } of cases) {
  Ordering(`${name}: ${strict ? 'the lane of a refused batch stands still, others go on' : 'others pass a refused batch'}`, async () => {
    const broker = new FakeBroker(REFUSED_FIRST);
    const engine = await openOn(broker, { ...EACH, ...(connect === undefined ? {} : { ordering: connect }) });
    const report = await ingest(engine, items(['a', 'b'], 5), call === undefined ? {} : { ordering: call });
    await engine.close();
    closes(report);
    assert.is(broker.given.get('later'), 1, 'the fault happened');
    assert.equal([report.acked, report.retries], [10, 1]);
    const all = stored(broker);
    assert.equal(of(all, 'b'), ['b0', 'b1', 'b2', 'b3', 'b4']);
    assert.equal(of(all, 'a'), strict ? ['a0', 'a1', 'a2', 'a3', 'a4'] : ['a1', 'a2', 'a3', 'a4', 'a0']);
    if (strict) assert.ok(all.indexOf('b4') < all.indexOf('a0'), `the other subject did not wait: ${all.join(' ')}`);
  });
}

Ordering('a strict ingest beside a relaxed one on the same subject: each has its own order', async () => {
  const broker = new FakeBroker({ steps: [{ answer: 'later', turns: 3 }], faultsMax: 2, inFlightMax: 16 });
  const engine = await openOn(broker, EACH);
  const [strict, relaxed] = await Promise.all([
    ingest(engine, items(['a'], 6), { ordering: 'strict', subject: 't' }),
    ingest(engine, items(['b'], 6), { subject: 't' }),
  ]);
  await engine.close();
  assert.equal([strict.acked, relaxed.acked], [6, 6]);
  assert.is(broker.given.get('later'), 2);
  assert.equal(of(stored(broker), 'a'), ['a0', 'a1', 'a2', 'a3', 'a4', 'a5']);
  assert.is(of(stored(broker), 'b').length, 6);
});

Ordering('strict: a batch that is given up lets the next one go', async () => {
  const broker = new FakeBroker({ steps: [{ answer: 'never', turns: 2 }], faultsMax: 2, inFlightMax: 8 });
  const engine = await openOn(broker, EACH);
  const report = await ingest(engine, items(['a'], 5), { ordering: 'strict' });
  await engine.close();
  closes(report);
  assert.equal([report.acked, report.failed], [3, 2]);
  assert.equal(stored(broker), ['a2', 'a3', 'a4']);
});

Ordering('strict: the parts of a batch that became too large go one after the other, before the next batch', async () => {
  const steps: Step[] = [
    { answer: 'ack', turns: 0 },
    { answer: 'later', turns: 2 },
  ];
  const broker = new FakeBroker({ steps, faultsMax: 30, inFlightMax: 8, shrinks: { after: 1, bytes: 400 } });
  const engine = await openOn(broker, { ...EACH, batchEvents: 100, slabBytes: 65_536 });
  const report = await ingest(engine, items(['a'], 500), { ordering: 'strict' });
  await engine.close();
  assert.ok((broker.given.get('too-large') ?? 0) > 0 && (broker.given.get('later') ?? 0) > 0, 'the faults happened');
  assert.is(report.acked, 500);
  assert.equal(
    stored(broker),
    items(['a'], 500).map(({ n }) => `a${n}`),
  );
});

Ordering('strict: close settles what waits in its lane', async () => {
  const broker = new FakeBroker({ steps: [{ answer: 'ack', turns: 1_000_000 }], inFlightMax: 8 });
  const engine = await openOn(broker, { ...EACH, ordering: 'strict' });
  const attempts = publishAll(
    engine,
    Array.from({ length: 40 }, (_, index) => ({ subject: index % 2, id: index, bytes: 10, pause: false })),
  );
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  await engine.close();
  agrees(engine.stats(), await attempts);
  assert.is(engine.stats().unknown, 2, 'one of each subject was on its way');
});

const answers = (...faults: Answer[]): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ answer: fc.constantFrom<Answer>('ack', 'ack', ...faults), turns: fc.nat(5) }), { maxLength: 24 });
const planned = fc.array(fc.record({ subject: fc.nat(2), id: fc.constant(null), bytes: fc.nat(700), pause: fc.boolean() }), {
  minLength: 1,
  maxLength: 60,
});

Ordering('strict: order holds whatever is refused, lost or cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      planned,
      answers('later', 'stored-unknown', 'lost-unknown', 'cut'),
      fc.constantFrom('each' as const, 'batch' as const),
      fc.integer({ min: 1, max: 12 }),
      async (events, steps, framing, inFlightMax) => {
        const broker = new FakeBroker({ steps, inFlightMax, faultsMax: 200 });
        const engine = await openOn(broker, { framing, ordering: 'strict', maxAttempts: 1_000 });
        try {
          const attempts = await publishAll(engine, events);
          assert.equal(judge(attempts, broker.stored, { ordered: true }), []);
          agrees(engine.stats(), attempts);
        } finally {
          await engine.close();
        }
      },
    ),
    { numRuns: 100, interruptAfterTimeLimit: 15_000, includeErrorInReport: true },
  );
});

Ordering.run();
