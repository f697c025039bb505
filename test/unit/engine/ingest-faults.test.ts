/** Ingest on a broker that fails by schedule: every record is told of once, ids are stored once, no owner's failure loses its copies. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { timedSuite, within } from '../../harness/timeout.ts';
import type { IngestReport } from '../../../src/api/report.ts';
import { FakeBroker } from './fake-broker.ts';
import type { Answer, Stored } from './fake-broker.ts';
import { closes, openOn } from './fault-run.ts';

const Ingest = timedSuite('ingest on a broker that fails', { timeoutMs: 60_000 });
const RUNS = Number(process.env['MILLRACE_RUNS'] ?? 100);

interface Line {
  readonly id: number;
  readonly subject: number;
  readonly bytes: number;
  readonly broken: boolean;
}

const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.record({ id: fc.nat(60), subject: fc.nat(2), bytes: fc.nat(300), broken: fc.integer({ min: 0, max: 19 }).map((dice) => dice === 0) }),
  { minLength: 1, maxLength: 250 },
);
const stepsOf = (...answers: Answer[]): fc.Arbitrary<{ answer: Answer; turns: number }[]> =>
  fc.array(fc.record({ answer: fc.constantFrom<Answer>('ack', 'ack', ...answers), turns: fc.nat(4) }), { maxLength: 24 });
const setting = fc.record({
  framing: fc.constantFrom('each' as const, 'batch' as const),
  inFlightMax: fc.integer({ min: 1, max: 6 }),
  chunk: fc.integer({ min: 40, max: 5_000 }),
});

/** The same event for the same id: one id with two bodies is a conflict, another test's matter. */
const textOf = ({ id, subject, bytes, broken }: Line): string =>
  broken ? `{"id":"i${id}",broken` : `{"id":"i${id}-${subject}","s":${subject},"pad":"${'p'.repeat(bytes)}"}`;

async function* chunksOf(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

/** Words for what is wrong between the input, the store and the report. */
function judge(input: readonly Line[], stored: readonly Stored[], report: IngestReport): string[] {
  const copies = new Map<string, number>();
  for (const { id, subject, broken } of input) if (!broken) copies.set(`i${id}-${subject}`, (copies.get(`i${id}-${subject}`) ?? 0) + 1);
  const times = new Map<string, number>();
  const problems: string[] = [];
  for (const { subject, events } of stored) {
    for (const event of events as readonly { id: string; s: number }[]) {
      times.set(event.id, (times.get(event.id) ?? 0) + 1);
      if (!copies.has(event.id) || `s.${event.s}` !== subject) problems.push(`I2: ${event.id} on ${subject}`);
    }
  }
  const broken = input.filter((line) => line.broken).length;
  let [missing, twice] = [0, 0];
  for (const [id, count] of copies) {
    if (!times.has(id)) missing += count;
    if ((times.get(id) ?? 0) > 1) twice += times.get(id)! - 1;
  }
  if (report.accepted !== input.length) problems.push(`I5: accepted ${report.accepted} of ${input.length}`);
  if (report.rejected !== broken) problems.push(`I5: rejected ${report.rejected} of ${broken}`);
  if (missing > report.failed) problems.push(`I1: ${missing} copies of ids that are not stored, ${report.failed} failed`);
  if (report.unknown === 0 && twice > 0) problems.push(`I4: ${twice} stored again`);
  if (report.unknown === 0 && times.size !== report.acked) problems.push(`I16: ${times.size} ids stored, ${report.acked} acked`);
  if (report.inFlight !== 0) problems.push(`I5: ${report.inFlight} in flight`);
  return problems;
}

interface Kind {
  readonly resends?: boolean;
  readonly shrinks?: { readonly after: number; readonly bytes: number };
}

const property = (name: string, answers: Answer[], { resends = true, shrinks }: Kind = {}): void =>
  Ingest(name, async () => {
    await fc.assert(
      fc.asyncProperty(lines, stepsOf(...answers), setting, async (input, steps, { framing, inFlightMax, chunk }) => {
        const broker = new FakeBroker({ steps, inFlightMax, resends, faultsMax: 300, ...(shrinks === undefined ? {} : { shrinks }) });
        const engine = await openOn(broker, { framing });
        try {
          const text = input.map(textOf).join('\n');
          const report = await within('ingest ends', 10_000, () =>
            engine.ingest(chunksOf(text, chunk), { subject: 's.{s}', id: '/id', format: 'ndjson' }),
          );
          assert.equal(judge(input, broker.stored, report), []);
          closes(report);
          assert.is(report.bytesIn, text.length);
        } finally {
          await engine.close();
        }
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 12_000, includeErrorInReport: true },
    );
  });

property('acks late', []);
property('connections that break and answers lost', ['cut', 'stored-unknown', 'lost-unknown']);
property('refused for good: copies of a failed owner go in its place', ['never']);
property('everything', ['never', 'later', 'cut', 'stored-unknown', 'lost-unknown']);
property('a broker whose doubt is final', ['never', 'cut', 'stored-unknown', 'lost-unknown'], { resends: false });
property('a limit that shrinks: batches are taken apart, and only the part that is refused rolls back', ['never', 'later'], {
  shrinks: { after: 3, bytes: 1_400 },
});

Ingest('a batch that became too large is taken apart, events in order, ids of parts apart', async () => {
  const broker = new FakeBroker({ steps: [], shrinks: { after: 1, bytes: 900 } });
  const engine = await openOn(broker, { slabBytes: 65_536 });
  const input = Array.from({ length: 900 }, (_, id) => ({ id, subject: 0, bytes: 20, broken: false }));
  const report = await engine.ingest(chunksOf(input.map(textOf).join('\n'), 20_000), { subject: 's.{s}', id: '/id' });
  await engine.close();
  assert.ok((broker.given.get('too-large') ?? 0) > 0, 'the fault happened');
  assert.equal([report.acked, report.failed], [900, 0]);
  assert.equal(
    broker.stored.flatMap(({ events }) => (events as readonly { id: string }[]).map(({ id }) => id)),
    input.map(({ id }) => `i${id}-0`),
  );
  assert.is(new Set(broker.stored.map(({ messageId }) => messageId)).size, broker.stored.length);
});

Ingest('planted: a lie is noticed', async () => {
  const input = Array.from({ length: 50 }, (_, id) => ({ id, subject: 0, bytes: 5, broken: false }));
  const broker = new FakeBroker({ steps: [{ answer: 'lie', turns: 0 }] });
  const engine = await openOn(broker);
  const report = await engine.ingest(chunksOf(input.map(textOf).join('\n'), 999), { subject: 's.{s}', id: '/id' });
  await engine.close();
  assert.match(judge(input, broker.stored, report).join(), /I1/);
});

Ingest('subjects stay with their events when a slab takes several runs', async () => {
  // Each stretch of one subject ends about where a run of so small records does: the next run writes its subjects to the same place.
  for (let length = 120; length < 190; length += 1) {
    const broker = new FakeBroker({ steps: [] });
    const engine = await openOn(broker, { slabs: 2, framing: 'each' });
    const text = Array.from({ length: 400 }, (_, n) => `{"s":${Math.floor(n / length)}}`).join('\n');
    const report = await engine.ingest(chunksOf(text, 4_000), { subject: 's.{s}', id: 'none' });
    await engine.close();
    assert.is(report.acked, 400);
    for (const { subject, events } of broker.stored)
      for (const event of events) assert.is(subject, `s.${(event as { s: number }).s}`, `stretches of ${length}`);
  }
});

Ingest('more copies than one run can take again', async () => {
  // The owner of 3,000 copies is refused: the first copy that is taken again owns the id, the others are its duplicates.
  const broker = new FakeBroker({ steps: [{ answer: 'never', turns: 40 }], faultsMax: 1, inFlightMax: 2 });
  const engine = await openOn(broker, { slabs: 3, slabBytes: 65_536, framing: 'each' });
  const text = Array.from({ length: 9_000 }, (_, n) => `{"n":${n % 3_000 < 1_500 ? n % 1_500 : 9}}`).join('\n');
  const report = await engine.ingest(chunksOf(text, 50_000), { id: 'hash', subject: 's' });
  await engine.close();
  closes(report);
  assert.equal([report.accepted, report.failed, report.inFlight], [9_000, 1, 0]);
  assert.is(report.acked, 1_500);
  assert.is(new Set(broker.stored.map(({ messageId }) => messageId)).size, 1_500);
});

Ingest('close during an ingest ends it with MILLRACE_CLOSED and a ledger that closes', async () => {
  for (const workers of [0, 1]) {
    const broker = new FakeBroker({ steps: [{ answer: 'ack', turns: 1_000_000 }], inFlightMax: 2 });
    const engine = await openOn(broker, { workers });
    const text = Array.from({ length: 2_000 }, (_, n) => `{"id":${n},"s":0}`).join('\n');
    const ingesting = engine.ingest(chunksOf(text, 1_000), { subject: 's.{s}', id: '/id' }).then(
      () => null,
      (error: unknown) => error as { code: string; context: { report: IngestReport } },
    );
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    await engine.close();
    const error = await within('ingest ends', 10_000, () => ingesting);
    assert.is(error?.code, 'MILLRACE_CLOSED');
    closes(error!.context.report);
    assert.is(error!.context.report.inFlight, 0);
  }
});

Ingest.run();
