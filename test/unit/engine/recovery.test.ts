/** After a restart with any part of the stream stored, and any other batch borders, each event is stored once: whatever finds its id. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { IdRule } from '../../../src/api/options.ts';
import type { ConnectOptions } from '../../../src/config/table.ts';
import { merged } from '../../../src/engine/recovery-ranges.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { closes, openOn } from './fault-run.ts';
import { eventsOf, RecoveryBroker } from './recovery-broker.ts';
import type { Deed, Kept } from './recovery-broker.ts';

const Recoveries = timedSuite('recovery', { timeoutMs: 50_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-recovery-unit-'));
Recoveries.after(() => rmSync(folder, { recursive: true }));
const module = new URL('../workers/fixtures/transforms.js', import.meta.url);

interface Setting {
  readonly id: IdRule;
  readonly framing: 'batch' | 'each';
  readonly batchBytes: number;
  readonly batchEvents: number;
  readonly transform: boolean;
}

let files = 0;
function fileOf(records: readonly Record<string, unknown>[]): string {
  const file = join(folder, `${(files += 1)}.ndjson`);
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join('\n')); // With blank lines.
  return file;
}

async function run(
  broker: RecoveryBroker,
  file: string,
  { id, framing, transform, ...options }: Setting,
  more: ConnectOptions = {},
): Promise<{ duplicates: number; acked: number; accepted: number }> {
  const engine = await openOn(broker, { ...options, ...more });
  try {
    const report = await engine.ingest(file, { subject: 's.{k}', id, framing, ...(transform ? { transform: { module } } : {}) });
    closes(report);
    assert.is(report.accepted, report.acked + report.duplicates, JSON.stringify(report));
    return report;
  } finally {
    await engine.close();
  }
}

/** Copies of each event, by number and part. */
function copiesOf(kept: readonly Kept[]): Map<string, number> {
  const copies = new Map<string, number>();
  for (const message of kept) {
    for (const event of eventsOf(message)) {
      const { n, part = 0 } = event as { n: number; part?: number };
      copies.set(`${n}/${part}`, (copies.get(`${n}/${part}`) ?? 0) + 1);
    }
  }
  return copies;
}

const records = fc.array(fc.record({ k: fc.nat(2), split: fc.boolean(), pad: fc.nat(60) }), { minLength: 1, maxLength: 120 });
const borders = fc.record({
  framing: fc.constantFrom('batch' as const, 'batch' as const, 'each' as const),
  batchBytes: fc.constantFrom(1_024, 1_200, 4_000),
  batchEvents: fc.constantFrom(1, 2, 4, 50),
});

for (const id of ['/n', 'hash', 'offset'] as const) {
  Recoveries(`any part stored, any borders: ${id}`, async () => {
    await fc.assert(
      fc.asyncProperty(records, borders, borders, fc.infiniteStream(fc.boolean()), async (given, before, after, isStored) => {
        const splits = id === 'offset' && given.some(({ split }) => split);
        const all = given.map(({ k, split, pad }, n) => ({ n, k, pad: 'x'.repeat(pad), ...(splits && split ? { do: 'split' } : {}) }));
        const file = fileOf(all);
        const first = new RecoveryBroker();
        await run(first, file, { id, transform: splits, ...before });
        const kept = first.kept.filter(() => isStored.next().value);
        const second = new RecoveryBroker(kept);
        await run(second, file, { id, transform: splits, ...after });
        const copies = copiesOf(second.kept);
        const wanted = all.flatMap(({ n, do: deed }: { n: number; do?: string }) =>
          (deed === 'split' ? [0, 1, 2] : [0]).map((part) => `${n}/${part}`),
        );
        // A record whose events did not fit into one message belongs to no stretch: it comes again whole.
        const torn = before.framing === 'each' || before.batchEvents < 3;
        for (const event of wanted) {
          const stored = copies.get(event) ?? 0;
          const mayRepeat = torn && all[Number(event.split('/')[0])]!.do === 'split';
          assert.ok(stored === 1 || (mayRepeat && stored === 2), `${event} is stored ${stored} times`);
        }
        assert.is(copies.size, wanted.length);
      }),
      { numRuns: 60 },
    );
  });
}

const simple: Setting = { id: '/n', framing: 'batch', batchBytes: 1_024, batchEvents: 10, transform: false };
const few = (count: number): Record<string, unknown>[] => Array.from({ length: count }, (_, n) => ({ n, k: n % 2 }));

const fences: readonly { readonly name: string; readonly deeds: readonly Deed[]; readonly readBacks: number }[] = [
  { name: 'passes at once', deeds: ['ack'], readBacks: 1 },
  { name: 'the answer is lost, and it was stored', deeds: ['stored-unknown'], readBacks: 1 },
  { name: 'the answer is lost, and it was not', deeds: ['lost-unknown', 'lost-unknown'], readBacks: 1 },
  { name: 'refused for now', deeds: ['later', 'ack'], readBacks: 1 },
  { name: 'moved', deeds: ['moved'], readBacks: 2 },
  { name: 'moved, then lost, then moved', deeds: ['moved', 'lost-unknown', 'moved'], readBacks: 3 },
];
for (const workers of [0, 2]) {
  for (const { name, deeds, readBacks } of fences) {
    Recoveries(`the fence: ${name}, ${workers} workers`, async () => {
      const file = fileOf(few(300));
      const donor = new RecoveryBroker();
      await run(donor, file, simple);
      const broker = new RecoveryBroker([], deeds);
      broker.intrude = () => broker.kept.push(donor.kept[2 + broker.kept.length * 3]!);
      await run(broker, file, simple, { workers });
      assert.is(broker.readBacks, readBacks);
      const fenced = broker.expected.filter((sequence) => sequence >= 0);
      assert.is(fenced.length, deeds.filter((deed) => deed !== 'ack').length + 1);
      assert.equal(
        [...copiesOf(broker.kept).values()].filter((copies) => copies !== 1),
        [],
      );
      assert.is(copiesOf(broker.kept).size, 300);
    });
  }
}

Recoveries('a refusal for good fails its events, and the rest goes on with a warning from nobody', async () => {
  const broker = new RecoveryBroker([], ['never']);
  const engine = await openOn(broker, { batchEvents: 10 });
  const report = await engine.ingest(fileOf(few(100)), { subject: 's', id: '/n' });
  closes(report);
  assert.equal([report.accepted, report.failed, report.acked], [100, 10, 90]);
  await engine.close();
});

Recoveries('ids of every form are found, and those of publish are duplicates', async () => {
  const first = new RecoveryBroker();
  const engine = await openOn(first, { framing: 'batch' });
  await engine.publish('a', { n: 1 }, { id: 'one' });
  await engine.publish('a', { n: 2 }, { id: 'two', headers: { 'X-Own': 'v' } });
  await engine.publish('a', { n: 3 });
  await engine.close();
  const second = new RecoveryBroker(first.kept);
  const again = await openOn(second, { framing: 'each' });
  assert.is(again.tryPublish('a', { n: 1 }, { id: 'one' }), false, 'not before it is known what is stored');
  const receipts = await Promise.all(['one', 'two', 'three'].map((id) => again.publish('a', { n: 9 }, { id })));
  assert.equal(
    receipts.map(({ duplicate }) => duplicate),
    [true, true, false],
  );
  assert.is(again.tryPublish('a', { n: 1 }, { id: 'one' }), true);
  await again.flush();
  assert.is(again.stats().conflicts, 2, 'the same id with another body is counted');
  assert.is(second.kept.length, first.kept.length + 1);
  await again.close();
});

Recoveries('a path named twice is read twice, also when the first reading is stored', async () => {
  const file = fileOf(few(60));
  const first = new RecoveryBroker();
  await run(first, file, { ...simple, id: 'offset' });
  const second = new RecoveryBroker(first.kept);
  const engine = await openOn(second, { batchBytes: 1_024 });
  const report = await engine.ingest([file, file], { subject: 's.{k}', id: 'offset' });
  assert.equal([report.accepted, report.duplicates, report.acked], [120, 60, 60]);
  await engine.close();
  const third = await openOn(second, { batchBytes: 2_048 });
  const again = await third.ingest([file, file], { subject: 's.{k}', id: 'offset' });
  assert.equal([again.accepted, again.duplicates, again.acked], [120, 120, 0]);
  await third.close();
});

Recoveries('what cannot be read is passed over', async () => {
  const broken = (headers: Readonly<Record<string, string>>, bytes: readonly number[]): Kept => ({
    subject: 's',
    headers: new Map(Object.entries(headers)),
    payload: Uint8Array.from(bytes),
  });
  const batch = { 'Millrace-Batch': 'b', 'Millrace-Count': '3' };
  const broker = new RecoveryBroker([
    broken({ ...batch, 'Millrace-Id': '/n' }, [0xdd, 0xff, 0xff, 0xff, 0xff, 0x81]),
    broken({ ...batch, 'Millrace-Id': '/n' }, []),
    broken({ ...batch, 'Millrace-Id': 'nonsense' }, [0x91, 0xc0]),
    broken({ ...batch, 'Millrace-Id': '/n' }, [0x92, 0xc1, 0xc1]),
    broken({ ...batch, 'Content-Type': 'application/msgpack; form=envelope' }, [0x92, 0x93, 0xa1, 0x61, 0xc0, 0xc0, 0x92, 0xa1, 0x61]),
    broken({ 'Nats-Msg-Id': 'x'.repeat(5_000) }, [0xc0]),
    broken({ 'Millrace-Source': 'a 5-1' }, [0xc0]),
    broken({ 'Millrace-Source': 'a b c' }, [0xc0]),
  ]);
  const { acked } = await run(broker, fileOf(few(20)), simple);
  assert.is(acked, 20);
});

Recoveries('stretches that touch or overlap are one', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(20)), { maxLength: 20 }), (pairs) => {
      const covers = (ranges: Iterable<readonly [number, number]>, at: number): boolean =>
        [...ranges].some(([from, to]) => at >= from && at < to);
      const given = pairs.map(([from, length]): [number, number] => [from, from + length]);
      const all = merged(given.flat());
      for (let at = 0; at < 90; at += 1) assert.is(covers(all, at), covers(given, at));
      for (const [index, [from]] of all.entries()) assert.ok(index === 0 || from > all[index - 1]![1]);
    }),
  );
});

Recoveries.run();
