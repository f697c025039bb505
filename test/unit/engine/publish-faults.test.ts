/** Whatever the broker answers, in whatever order: every publish settles once and truthfully, ids are stored once, the ledger closes. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import type { Answer, Step } from './fake-broker.ts';
import { judge } from './fault-judge.ts';
import { agrees, openOn, publishAll } from './fault-run.ts';
import type { Planned } from './fault-run.ts';

const Publish = timedSuite('publish on a broker that fails', { timeoutMs: 60_000 });
const RUNS = Number(process.env['MILLRACE_RUNS'] ?? 150);

const stepsOf = (...answers: Answer[]): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ answer: fc.constantFrom<Answer>('ack', 'ack', ...answers), turns: fc.nat(5) }), { maxLength: 24 });
const planned: fc.Arbitrary<Planned[]> = fc.array(
  fc.record({ subject: fc.nat(2), id: fc.option(fc.nat(12)), bytes: fc.nat(700), pause: fc.boolean() }),
  { minLength: 1, maxLength: 80 },
);
const setting = fc.record({
  framing: fc.constantFrom('each' as const, 'batch' as const),
  slabs: fc.integer({ min: 2, max: 5 }),
  inFlightMax: fc.integer({ min: 1, max: 12 }),
});

interface Case {
  readonly events: readonly Planned[];
  readonly steps: readonly Step[];
  readonly framing: 'each' | 'batch';
  readonly slabs: number;
  readonly inFlightMax: number;
  readonly resends?: boolean;
}

/** What the judge says of one run. */
async function run(
  name: string,
  { events, steps, framing, slabs, inFlightMax, resends = true }: Case,
  ordered: boolean,
): Promise<string[]> {
  const broker = new FakeBroker({ steps, inFlightMax, resends, faultsMax: 400 });
  const engine = await openOn(broker, { framing, slabs });
  try {
    const attempts = await publishAll(engine, events);
    const problems = judge(attempts, broker.stored, { ordered });
    if (problems.length === 0) agrees(engine.stats(), attempts);
    return problems.map((problem) => `${name}: ${problem}`);
  } finally {
    await engine.close();
  }
}

const property = (
  name: string,
  answers: Answer[],
  { ordered, resends = true }: { readonly ordered: boolean; readonly resends?: boolean },
): void =>
  Publish(name, async () => {
    await fc.assert(
      fc.asyncProperty(planned, stepsOf(...answers), setting, async (events, steps, { framing, slabs, inFlightMax }) => {
        assert.equal(await run(name, { events, steps, framing, slabs, inFlightMax, resends }, ordered), []);
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 12_000, includeErrorInReport: true },
    );
  });

property('acks late and out of turn', [], { ordered: true });
property('connections that break: order per subject, each id once', ['cut'], { ordered: true });
property('answers lost, messages lost', ['stored-unknown', 'lost-unknown', 'cut'], { ordered: false });
property('refused for good: claims roll back, copies are taken again', ['never'], { ordered: false });
property('refused for now, lost, cut and refused for good', ['never', 'later', 'stored-unknown', 'lost-unknown', 'cut'], {
  ordered: false,
});
property('a broker whose doubt is final', ['stored-unknown', 'lost-unknown', 'never', 'cut'], { ordered: false, resends: false });

/** A checker that cannot fail proves nothing: each planted fault must be noticed. */
const planted: readonly { readonly answer: Answer; readonly invariant: string }[] = [
  { answer: 'lie', invariant: 'I1' },
  { answer: 'twice', invariant: 'I4' },
  { answer: 'alter', invariant: 'I2' },
];
for (const { answer, invariant } of planted)
  Publish(`planted: a broker that answers '${answer}' breaks ${invariant}`, async () => {
    const events = Array.from({ length: 20 }, (_, index) => ({ subject: 0, id: index, bytes: 10, pause: false }));
    const ack: Step = { answer: 'ack', turns: 0 };
    const problems = await run(
      answer,
      { events, steps: [ack, ack, { answer, turns: 0 }], framing: 'each', slabs: 3, inFlightMax: 8 },
      true,
    );
    assert.ok(
      problems.some((problem) => problem.includes(`${invariant}:`)),
      problems.join('\n'),
    );
  });

Publish('planted: an order turned around breaks I7', () => {
  const attempts = [0, 1].map((n) => ({ n, subject: 's', id: null, event: { n }, outcome: 'acked' as const }));
  const stored = [1, 0].map((n) => ({ subject: 's', messageId: null, events: [{ n }], ids: [null] }));
  assert.match(judge(attempts, stored, { ordered: true }).join(), /I7/);
  assert.equal(judge(attempts, stored, { ordered: false }), []);
});

Publish('a copy whose owner fails is published in its place', async () => {
  // The owner is refused late, when its copy has long met the pending claim.
  const broker = new FakeBroker({
    steps: [
      { answer: 'never', turns: 6 },
      { answer: 'ack', turns: 0 },
    ],
  });
  const engine = await openOn(broker);
  const first = { subject: 0, id: 7, bytes: 10, pause: false };
  const attempts = await publishAll(engine, [first, { ...first, pause: true }]);
  assert.equal(
    attempts.map(({ outcome }) => outcome),
    ['failed', 'acked'],
  );
  assert.equal(
    broker.stored.map(({ events }) => (events[0] as { n: number }).n),
    [1],
  );
  assert.is(broker.given.get('never'), 1);
  agrees(engine.stats(), attempts);
  await engine.close();
});

Publish('close settles every publish, whatever the broker owes', async () => {
  await fc.assert(
    fc.asyncProperty(planned, fc.nat(20), fc.integer({ min: 1, max: 3 }), async (events, turns, slabs) => {
      const broker = new FakeBroker({ steps: [{ answer: 'ack', turns: 50 }], inFlightMax: 3 });
      const engine = await openOn(broker, { slabs: slabs + 1 });
      const publishing = publishAll(
        engine,
        events.map((event) => ({ ...event, pause: false })),
      );
      for (let count = 0; count < turns; count += 1) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([engine.close(), engine.close()]);
      const attempts = await publishing;
      assert.equal(judge(attempts, broker.stored, { ordered: false }), []);
      assert.is(engine.stats().inFlight, 0);
    }),
    { numRuns: 60, interruptAfterTimeLimit: 10_000, includeErrorInReport: true },
  );
});

Publish.run();
