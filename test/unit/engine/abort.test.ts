/** A signal is heard in every phase: before anything, while a source gives nothing, while the ring is full, while batches are on their way. */
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { IngestReport } from '../../../src/api/report.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { FakeBroker } from './fake-broker.ts';
import { closes, openOn } from './fault-run.ts';

const Abort = timedSuite('abort', { timeoutMs: 30_000 });

const failure = (work: Promise<unknown>): Promise<MillraceError> =>
  within('it ends', 10_000, () =>
    work.then(
      () => assert.unreachable('it was aborted') as never,
      (error: unknown) => error as MillraceError,
    ),
  );
const reportOf = (error: MillraceError): IngestReport => error.context['report'] as IngestReport;
const reason = new Error('enough');

/** Answers nothing until it is let go. */
class SilentBroker extends FakeBroker {
  silent = true;
  constructor() {
    super({ steps: [], inFlightMax: 4 });
  }
  override tryPublish(...given: Parameters<FakeBroker['tryPublish']>): boolean {
    return this.silent ? false : super.tryPublish(...given);
  }
  speak(): void {
    this.silent = false;
    this.wake();
  }
  wake: () => void = () => undefined;
  override async open(listener: Parameters<FakeBroker['open']>[0]): Promise<void> {
    this.wake = () => listener.writable();
    await super.open(listener);
  }
}

for (const workers of [0, 1]) {
  Abort(`before the first byte: nothing is read, ${workers} workers`, async () => {
    const broker = new FakeBroker({ steps: [] });
    const engine = await openOn(broker, { workers });
    let pulled = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      pulled += 1;
      yield Buffer.from('{"n":1}\n');
    }
    const error = await failure(engine.ingest(source() as AsyncIterable<Uint8Array>, { id: 'none', signal: AbortSignal.abort(reason) }));
    assert.equal([error.code, error.cause, pulled], ['MILLRACE_ABORTED', reason, 0]);
    assert.is(reportOf(error).accepted, 0);
    await engine.close();
    assert.is(broker.stored.length, 0);
  });

  Abort(`while the source gives nothing: what it gave before has settled, ${workers} workers`, async () => {
    const broker = new FakeBroker({ steps: [] });
    const engine = await openOn(broker, { workers });
    const controller = new AbortController();
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"n":1}\n{"n":2}\n{"n":');
      await waitFor('both acked', () => engine.stats().acked === 2);
      controller.abort(reason);
      await new Promise(() => undefined);
    }
    const error = await failure(engine.ingest(source() as AsyncIterable<Uint8Array>, { id: 'none', signal: controller.signal }));
    assert.is(error.code, 'MILLRACE_ABORTED');
    closes(reportOf(error));
    assert.equal([reportOf(error).acked, reportOf(error).inFlight], [2, 0]);
    await engine.close();
  });

  Abort(`while the ring is full and batches are on their way: they settle, and the source is let go, ${workers} workers`, async () => {
    const broker = new SilentBroker();
    const engine = await openOn(broker, { workers, slabs: 2 });
    const controller = new AbortController();
    let given = 0;
    let letGo = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given += 1;
          yield Buffer.from(`{"n":${given},"pad":"${'x'.repeat(500)}"}\n`);
        }
      } finally {
        letGo = true;
      }
    }
    const ended = failure(engine.ingest(source() as AsyncIterable<Uint8Array>, { id: 'none', signal: controller.signal }));
    await waitFor('a full ring', () => engine.stats().slabs.free === 0 && engine.stats().inFlight > 0);
    controller.abort(reason);
    broker.speak();
    const error = await ended;
    const report = reportOf(error);
    closes(report);
    assert.is(error.code, 'MILLRACE_ABORTED');
    assert.equal([report.inFlight, report.acked], [0, report.accepted]);
    assert.ok(letGo && report.accepted > 0 && report.accepted <= given);
    await engine.close();
  });
}

Abort('publish: not taken when its signal was aborted before, or while it waits for room; those around it go on', async () => {
  const broker = new SilentBroker();
  const engine = await openOn(broker, { slabs: 2 });
  assert.is((await failure(engine.publish('s', {}, { signal: AbortSignal.abort(reason) }))).code, 'MILLRACE_ABORTED');
  const taken: Promise<unknown>[] = [];
  while (engine.stats().slabs.free > 0 || taken.length < 100) taken.push(engine.publish('s', { pad: 'x'.repeat(500) }));
  const controllers = Array.from({ length: 10 }, () => new AbortController());
  const waiting = controllers.map(({ signal }, n) => engine.publish('s', { waits: n, pad: 'x'.repeat(500) }, { signal }));
  const gone = [1, 4, 9].map((n) => failure(waiting[n]!));
  for (const n of [4, 1, 9]) controllers[n]!.abort(reason);
  for (const error of await Promise.all(gone))
    assert.equal([error.code, error.outcome, error.cause], ['MILLRACE_ABORTED', 'failed', reason]);
  const last = engine.publish('s', { last: true });
  broker.speak();
  await within('the others are acked', 10_000, () => Promise.all([...taken, last, ...waiting.filter((_, n) => ![1, 4, 9].includes(n))]));
  const events = broker.stored.flatMap(({ events: all }) => all as readonly { waits?: number; last?: true }[]);
  assert.equal(
    events.filter(({ waits }) => waits !== undefined).map(({ waits }) => waits),
    [0, 2, 3, 5, 6, 7, 8],
  );
  assert.is(events.at(-1)!.last, true);
  closes(engine.stats());
  assert.is(engine.stats().inFlight, 0);
  await engine.close();
});

Abort.run();
