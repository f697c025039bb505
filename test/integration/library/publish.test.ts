/** The library as an application uses it: backpressure, ids, flush, drain, close, abort, and two engines side by side. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { connect, MillraceError } from '../../../src/index.ts';
import type { EventProcessor, IngestReport, Ledger, Receipt } from '../../../src/index.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { readAll, targetNames, Targets } from '../ingest/targets.ts';

const Library = timedSuite('library', { timeoutMs: 60_000 });
const targets = new Targets();
Library.after(() => targets.end());

const closes = (ledger: Ledger): void =>
  assert.is(ledger.accepted, ledger.acked + ledger.duplicates + ledger.rejected + ledger.failed + ledger.dropped + ledger.inFlight);
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: unknown) => (error instanceof MillraceError ? error.code : String(error)),
  );

for (const target of targetNames)
  for (const framing of ['each', 'batch'] as const)
    Library(`50,000 publishes at once, every tenth a copy: one is stored, the other told so (${target}, ${framing})`, async () => {
      await using processor = await targets.open(target, `publish-${framing}`, { framing });
      const receipts: Promise<Receipt>[] = [];
      for (let n = 0; n < 50_000; n += 1) {
        const id = `id-${n % 10 === 9 ? n - 1 : n}`;
        receipts.push(processor.publish(`lib-${target}-${framing}.${n % 3}`, { id }, { id }));
      }
      const all = await Promise.all(receipts);
      assert.is(all.filter(({ duplicate }) => duplicate).length, 5_000);
      assert.ok(all.every(({ duplicate, sequence }) => duplicate || sequence > 0));
      const stats = processor.stats();
      assert.equal([stats.accepted, stats.acked, stats.duplicates, stats.inFlight], [50_000, 45_000, 5_000, 0]);
      const seen = new Set<string>();
      await readAll(processor, 45_000, ({ event, id }) => {
        assert.is(id, (event as { id: string }).id);
        seen.add(id!);
      });
      assert.is(seen.size, 45_000);
    });

Library('tryPublish says false when the ring is full, publish waits, and both go on afterwards', async () => {
  await using processor = await targets.open('embedded', 'full', { slabs: 2, slabBytes: '4KiB' });
  let taken = 0;
  while (processor.tryPublish('full', { taken, pad: 'x'.repeat(500) })) taken += 1;
  assert.ok(taken >= 7 && taken < 40, `${taken} fit into two slabs of 4 KiB`);
  const receipt = await processor.publish('full', { waits: true });
  assert.is(receipt.duplicate, false);
  await processor.flush();
  assert.is(processor.stats().acked, taken + 1);
  assert.ok(processor.tryPublish('full', { again: true }));
  await processor.flush();
  closes(processor.stats());
});

Library('onFull fail and drop-newest: MILLRACE_FULL, and drops are counted', async () => {
  for (const [onFull, dropped] of [
    ['fail', 0],
    ['drop-newest', 1],
  ] as const) {
    await using processor = await targets.open('embedded', `full-${onFull}`, { slabs: 2, slabBytes: '4KiB', onFull });
    let taken = 0;
    while (processor.tryPublish('full', { taken, pad: 'x'.repeat(500) })) taken += 1;
    assert.is(await codeOf(processor.publish('full', {})), 'MILLRACE_FULL');
    await processor.flush();
    assert.equal([processor.stats().dropped, processor.stats().acked], [dropped, taken]);
    closes(processor.stats());
  }
});

Library('bad publishes reject with a code and harm nobody', async () => {
  await using processor = await targets.open('embedded', 'bad-publish', { maxEventBytes: '64KiB' });
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const cases: readonly [string, () => Promise<unknown>][] = [
    ['MILLRACE_SUBJECT_INVALID', () => processor.publish('a b', {})],
    ['MILLRACE_SUBJECT_INVALID', () => processor.publish('a.*', {})],
    ['MILLRACE_SUBJECT_INVALID', () => processor.publish('', {})],
    ['MILLRACE_SUBJECT_INVALID', () => processor.publish('a\r\nPUB', {})],
    ['MILLRACE_EVENT_INVALID', () => processor.publish('a', circle)],
    ['MILLRACE_EVENT_INVALID', () => processor.publish('a', { f: () => 1 })],
    ['MILLRACE_EVENT_INVALID', () => processor.publish('a', {}, { id: '' })],
    ['MILLRACE_EVENT_INVALID', () => processor.publish('a', {}, { id: 'a\r\nb' })],
    ['MILLRACE_EVENT_TOO_LARGE', () => processor.publish('a', 'x'.repeat(70_000))],
    ['MILLRACE_HEADER_INVALID', () => processor.publish('a', {}, { headers: { 'Nats-Msg-Id': 'x' } })],
    ['MILLRACE_HEADER_INVALID', () => processor.publish('a', {}, { headers: { x: 'a\r\nb' } })],
  ];
  for (const [code, work] of cases) assert.is(await codeOf(work()), code);
  assert.is((await processor.publish('a', { fine: true })).subject, 'a');
});

Library('headers, key and receipts come back with a delivery', async () => {
  await using processor = await targets.open('embedded', 'headers');
  const { sequence } = await processor.publish('h.x', { n: 1 }, { id: 'one', headers: { 'X-Source': 'test' } });
  await readAll(processor, 1, ({ event, id, headers, subject, sequence: stored }) => {
    assert.equal([event, id, headers['X-Source'], subject, stored], [{ n: 1 }, 'one', 'test', 'h.x', sequence]);
  });
});

Library('drain settles, gives the closed ledger and closes; later calls reject', async () => {
  const processor = await targets.open('embedded', 'drain');
  const receipts = Array.from({ length: 500 }, (_, n) => processor.publish('d', { n }));
  const ledger = await processor.drain();
  assert.equal([ledger.accepted, ledger.acked, ledger.inFlight], [500, 500, 0]);
  assert.is((await Promise.all(receipts)).length, 500);
  assert.is(await codeOf(processor.publish('d', {})), 'MILLRACE_CLOSED');
  assert.is((await processor.health()).ok, false);
  await Promise.all([processor.close(), processor.close()]);
});

Library('await using closes; close while publishing settles every promise', async () => {
  const outcomes: Promise<string>[] = [];
  let kept: EventProcessor | null = null;
  {
    await using processor = await targets.open('embedded', 'using', { slabs: 2, slabBytes: '4KiB' });
    kept = processor;
    for (let n = 0; n < 2_000; n += 1) outcomes.push(codeOf(processor.publish('u', { n, pad: 'x'.repeat(100) })));
  }
  const codes = new Set(await Promise.all(outcomes));
  assert.ok(
    [...codes].every((code) => code === 'nothing' || code === 'MILLRACE_CLOSED'),
    [...codes].join(),
  );
  assert.is(kept.stats().inFlight, 0);
  closes(kept.stats());
});

Library('an aborted ingest rejects with its report, and what was taken has settled', async () => {
  await using processor = await targets.open('embedded', 'abort');
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<object> {
    for (let n = 0; ; n += 1) {
      if (n === 5_000) controller.abort(new Error('enough'));
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      yield { n };
    }
  }
  const error = await processor.ingest(endless(), { signal: controller.signal }).then(
    () => null,
    (thrown: MillraceError) => thrown,
  );
  assert.is(error?.code, 'MILLRACE_ABORTED');
  const report = error!.context['report'] as IngestReport;
  closes(report);
  assert.equal([report.inFlight, report.acked], [0, report.accepted]);
  assert.ok(report.accepted >= 4_000 && report.accepted <= 5_001, String(report.accepted));
});

Library('close during an ingest ends it; so does drain', async () => {
  for (const how of ['close', 'drain'] as const) {
    const processor = await targets.open('embedded', `end-${how}`);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let n = 0; ; n += 1) {
        yield Buffer.from(`{"n":${n}}\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const ingesting = processor.ingest(endless() as AsyncIterable<Uint8Array>, { id: 'none' }).then(
      () => null,
      (thrown: MillraceError) => thrown,
    );
    await waitFor('some events', () => processor.stats().acked > 50);
    await processor[how]();
    const error = await ingesting;
    assert.is(error?.code, 'MILLRACE_CLOSED', how);
    closes(error!.context['report'] as IngestReport);
  }
});

Library('what a source has given does not wait for what it gives next', async () => {
  for (const workers of [0, 1]) {
    await using processor = await targets.open('embedded', `pause-${workers}`, { workers });
    async function* bursts(): AsyncGenerator<Uint8Array> {
      for (let sent = 1; sent <= 20_000; sent += 500) {
        yield Buffer.from(Array.from({ length: 500 }, (_, n) => `{"n":${sent + n}}\n`).join(''));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await waitFor('the whole burst acked', () => processor.stats().acked === 20_000);
      yield Buffer.from('{"n":0}\n');
    }
    assert.is((await processor.ingest(bursts() as AsyncIterable<Uint8Array>, { id: 'none' })).acked, 20_001);
  }
});

Library('two engines in one process share nothing', async () => {
  const [left, right] = await Promise.all([targets.open('embedded', 'left'), targets.open('embedded', 'right')]);
  await Promise.all([left!.publish('x', { side: 'left' }, { id: 'same' }), right!.publish('x', { side: 'right' }, { id: 'same' })]);
  for (const [name, processor] of [
    ['left', left!],
    ['right', right!],
  ] as const) {
    assert.equal([processor.stats().acked, processor.stats().duplicates], [1, 0]);
    await readAll(processor, 1, ({ event }) => assert.equal(event, { side: name }));
    await processor.close();
  }
});

Library('maxRate, limit, dryRun and progress', async () => {
  await using processor = await targets.open('embedded', 'options');
  const objects = (count: number): object[] => Array.from({ length: count }, (_, n) => ({ n }));
  const limited = await processor.ingest(objects(1_000), { limit: 10 });
  assert.is(limited.acked, 10);
  const text = objects(1_000)
    .map((object) => JSON.stringify(object))
    .join('\n');
  assert.is((await processor.ingest([Buffer.from(text)] as never, { limit: 17, id: 'none' })).acked, 17);
  const seen: number[] = [];
  const paced = await processor.ingest([Buffer.from(text)] as never, {
    maxRate: 2_000,
    id: 'none',
    onProgress: ({ accepted }) => void seen.push(accepted),
  });
  assert.is(paced.acked, 1_000);
  // Slower than allowed is no fault; faster by more than a slab's worth is.
  assert.ok(paced.elapsedMs > 350, `${paced.elapsedMs} ms for 1,000 at 2,000/s`);
  assert.ok(seen.length >= 2 && seen.at(-1) === 1_000, seen.join());
  const dry = await processor.ingest(objects(5), { dryRun: true });
  assert.is(dry.acked, 5);
  assert.is(processor.stats().acked, 1_027);
});

Library('faults of connect: one MILLRACE_CONFIG that names all of them', async () => {
  const error = await connect('embedded:x', { slabs: 0, workers: -1, nonsense: 1, env: {} } as never).then(
    () => null,
    (thrown: MillraceError) => thrown,
  );
  assert.is(error?.code, 'MILLRACE_CONFIG');
  for (const name of ['slabs', 'workers', 'nonsense']) assert.ok(error!.message.includes(name), error!.message);
  assert.is(await codeOf(connect(`embedded:${join(targets.folder, 'no', '\0')}`, { env: {} })), 'MILLRACE_STORE');
});

Library.run();
