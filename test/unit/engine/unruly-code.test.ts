/** What a transform leaves behind (a rejection nobody awaits, a timer that throws or exits) ends its worker at some other time: nothing is lost or doubled. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { timedSuite, within } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import { closes, openOn } from './fault-run.ts';
import { readLetters } from './letters.ts';

const Unruly = timedSuite('user code that goes wrong later', { timeoutMs: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-unruly-'));
Unruly.after(() => rmSync(folder, { recursive: true }));
const module = new URL('fixtures/unruly.js', import.meta.url);
const COUNT = 6_000;

for (const deed of ['reject', 'throw-later', 'exit-later'] as const)
  for (const workers of [1, 2])
    Unruly(`${deed}, ${workers} workers`, async () => {
      const broker = new FakeBroker({ steps: [{ answer: 'ack', turns: 1 }] });
      const deadLetters = join(folder, `${deed}-${workers}`);
      const engine = await openOn(broker, { workers, slabs: 4, slabBytes: 16_384, deadLetters, workerTimeout: 5_000 });
      const unhandled: unknown[] = [];
      const note = (error: unknown): void => void unhandled.push(error);
      process.on('unhandledRejection', note).on('uncaughtException', note);
      try {
        async function* source(): AsyncGenerator<Uint8Array> {
          for (let n = 0; n < COUNT; n += 100) {
            const lines = Array.from({ length: 100 }, (_, m) =>
              JSON.stringify((n + m) % 2_000 === 50 ? { n: n + m, do: deed } : { n: n + m }),
            );
            yield Buffer.from(`${lines.join('\n')}\n`);
            await new Promise((resolve) => setTimeout(resolve, 2)); // Long enough for what was left behind to come up.
          }
        }
        const report = await within('ingest ends', 40_000, () =>
          engine.ingest(source() as AsyncIterable<Uint8Array>, { id: 'none', subject: 's', format: 'ndjson', transform: { module } }),
        );
        closes(report);
        assert.equal([report.accepted, report.inFlight, report.failed], [COUNT, 0, 0]);
        assert.ok(engine.stats().workerCrashes > 0, 'the fault happened');
        const letters = await readLetters(deadLetters);
        assert.is(letters.length, report.rejected);
        // At worst the event itself, and whoever was at work when it came up, are dead letters.
        assert.ok(report.rejected <= 12, `${report.rejected} rejected`);
        const stored = broker.stored.flatMap(({ events }) => (events as readonly { n: number }[]).map(({ n }) => n));
        assert.equal([stored.length, new Set(stored).size], [report.acked, report.acked]);
        assert.equal(unhandled, []);
      } finally {
        process.off('unhandledRejection', note).off('uncaughtException', note);
        await engine.close();
      }
    });

Unruly('a stall shorter than workerTimeout is waited for', async () => {
  const broker = new FakeBroker({ steps: [] });
  const engine = await openOn(broker, { workers: 1, workerTimeout: 5_000 });
  const text = [0, 1, 2].map((n) => JSON.stringify(n === 1 ? { n, do: 'stall' } : { n })).join('\n');
  const report = await engine.ingest([Buffer.from(text)] as never, { id: 'none', format: 'ndjson', transform: { module } });
  await engine.close();
  assert.equal([report.acked, engine.stats().workerCrashes], [3, 0]);
});

Unruly('a host that blocks this thread for longer than workerTimeout: no worker is taken for stuck, and all goes on', async () => {
  const broker = new FakeBroker({ steps: [] });
  const engine = await openOn(broker, { workers: 1, workerTimeout: 200 });
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 3_000; n += 100) {
      yield Buffer.from(Array.from({ length: 100 }, (_, m) => `{"n":${n + m}}\n`).join(''));
      await new Promise((resolve) => setImmediate(resolve));
      const end = performance.now() + (n === 1_500 ? 1_000 : 0);
      while (performance.now() < end);
    }
  }
  const report = await engine.ingest(source() as AsyncIterable<Uint8Array>, { id: 'none', format: 'ndjson', transform: { module } });
  await engine.close();
  closes(report);
  assert.equal([report.acked, engine.stats().workerCrashes], [3_000, 0]);
});

Unruly.run();
