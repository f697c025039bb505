/** Bytes and objects in bulk: everything accepted arrives once and in order, in either framing, and the report adds up. */
import * as assert from 'uvu/assert';
import type { IngestOptions, IngestReport } from '../../../src/index.ts';
import { failsWith, inOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';
import type { Rig } from '../rig.ts';

const EVENTS = 2_000;

/** As a stream hands it over: chunks that end anywhere. */
async function* chunks(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

const lines = (events: readonly unknown[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('');
const records = (count: number): { readonly n: number; readonly text: string }[] =>
  numbers(count).map((n) => ({ n, text: `event ${n} größe` }));

function adds(report: IngestReport): void {
  const { accepted, acked, duplicates, rejected, failed, dropped, inFlight } = report;
  assert.is(accepted, acked + duplicates + rejected + failed + dropped + inFlight, JSON.stringify(report));
}

async function ingested(rig: Rig, source: AsyncIterable<Uint8Array> | readonly object[], options: IngestOptions): Promise<IngestReport> {
  const report = await rig.publisher.ingest(source, { subject: rig.subject(), format: 'ndjson', ...options });
  adds(report);
  return report;
}

const framed = (framing: 'batch' | 'each'): Promised => ({
  name: `ingests bytes with framing ${framing}, every event once and in order`,
  run: async (rig) => {
    const reading = await rig.read(rig.subject());
    const report = await ingested(rig, chunks(lines(records(EVENTS)), 10_007), { framing });
    assert.equal([report.accepted, report.acked, report.framing], [EVENTS, EVENTS, framing]);
    assert.ok(framing === 'each' ? report.messages === EVENTS : report.messages < EVENTS / 4, `${report.messages} messages`);
    const seen = await rig.fence(reading);
    inOrder(
      seen.map(({ event }) => (event as { n: number }).n),
      EVENTS,
    );
    assert.equal({ ...(seen[7]!.event as object) }, records(8)[7]);
  },
});

export const ingestPromises: readonly Promised[] = [
  framed('batch'),
  framed('each'),
  {
    name: 'ingests objects',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      await ingested(rig, records(500), {});
      inOrder(
        (await rig.fence(reading)).map(({ event }) => (event as { n: number }).n),
        500,
      );
    },
  },
  {
    name: 'counts the copies of an id in a source, and stores the first only',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const twice = numbers(600).map((n) => ({ id: n % 400, n: n % 400 }));
      const report = await ingested(rig, chunks(lines(twice), 4_001), { id: '/id' });
      assert.equal([report.accepted, report.acked, report.duplicates], [600, 400, 200]);
      const again = await ingested(rig, chunks(lines(twice), 4_001), { id: '/id' });
      assert.equal([again.acked, again.duplicates], [0, 600]);
      inOrder(
        (await rig.fence(reading)).map(({ event }) => (event as { n: number }).n),
        400,
      );
    },
  },
  {
    name: 'rejects bad records one by one, and takes their neighbours',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const text = '{"n":0}\n{"n":\n{"n":1}\nnot json\n\n{"n":2}';
      const report = await ingested(rig, chunks(text, 5), {});
      assert.equal([report.accepted, report.acked, report.rejected], [5, 3, 2]);
      inOrder(
        (await rig.fence(reading)).map(({ event }) => (event as { n: number }).n),
        3,
      );
    },
  },
  {
    name: 'ends an ingest that is aborted, and stays usable',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const stop = new AbortController();
      async function* endless(): AsyncGenerator<object> {
        for (let n = 0; ; n++) {
          if (n === 50) stop.abort();
          await new Promise((resolve) => setImmediate(resolve));
          yield { n };
        }
      }
      await failsWith('MILLRACE_ABORTED', 'the ingest', () =>
        rig.publisher.ingest(endless(), { subject: rig.subject(), signal: stop.signal }),
      );
      const { accepted, acked, failed, inFlight } = rig.publisher.stats();
      assert.equal([inFlight, accepted], [0, acked + failed]);
      const seen = await rig.fence(reading);
      inOrder(
        seen.map(({ event }) => (event as { n: number }).n),
        seen.length,
      );
    },
  },
];
