/** Workers serve a queue by long tasks: an idle engine keeps no process alive, user code is loaded beside other work, and workers that cannot live end the call. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { IngestReport } from '../../../src/api/report.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { endWithUs } from '../../harness/end-with-us.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import { closes, openOn } from './fault-run.ts';

const Serving = timedSuite('serving', { timeoutMs: 30_000 });
const COUNT = 20_000;
const LINES = Buffer.from(Array.from({ length: COUNT }, (_, n) => `{"n":${n}}\n`).join(''));
const SETTINGS = { id: 'none', subject: 's', format: 'ndjson' } as const;
const transform = { module: new URL('fixtures/unruly.js', import.meta.url) };
const neverLoads = { module: new URL('fixtures/never-loads.js', import.meta.url) };

const ingest = (engine: Engine, source: unknown, code: object = {}): Promise<IngestReport> =>
  engine.ingest(source as never, { ...SETTINGS, ...code });
const faultOf = (call: Promise<unknown>): Promise<MillraceError | null> =>
  call.then(
    () => null,
    (error: MillraceError) => error,
  );

Serving('an engine that is open and idle lets its process end', async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('fixtures/idle-process.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    const [code] = (await within('the end of the process', 20_000, () => once(child, 'close'))) as [number | null];
    assert.equal([code, output], [0, '2000 acked\n2000 acked\n']);
  } finally {
    child.kill('SIGKILL');
  }
});

Serving('user code is loaded while the only worker has work without end', async () => {
  const engine = await openOn(new FakeBroker({ steps: [] }), {
    workers: 1,
    slabs: 8,
    slabBytes: 16_384,
  });
  try {
    let over = false;
    let chunks = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; !over; chunks += 1) {
        yield LINES;
        await turn();
      }
    }
    const other = ingest(engine, endless());
    const mine = await within('the ingest with a transform', 20_000, () => ingest(engine, [LINES], { transform })).finally(
      () => (over = true),
    );
    const theirs = await other;
    for (const report of [mine, theirs]) closes(report);
    assert.equal([mine.acked, theirs.acked], [COUNT, chunks * COUNT]);
  } finally {
    await engine.close();
  }
});

Serving('a module whose loading never ends holds up its own call only, and that ends with the engine', async () => {
  const engine = await openOn(new FakeBroker({ steps: [] }), {
    workers: 1,
    slabs: 4,
    slabBytes: 16_384,
  });
  const stuck = faultOf(ingest(engine, [LINES], { transform: neverLoads }));
  try {
    const reports = [await ingest(engine, [LINES]), await ingest(engine, [LINES], { transform })];
    assert.equal(
      reports.map(({ acked }) => acked),
      [COUNT, COUNT],
    );
  } finally {
    await engine.close();
  }
  assert.ok((await stuck) !== null);
});

for (const workers of [0, 1])
  for (const [name, reference] of Object.entries({
    'no such file': { module: new URL('fixtures/not-there.js', import.meta.url) },
    'no such export': { ...transform, export: 'nobody' },
  }))
    Serving(`a transform that cannot be loaded fails the call and no event: ${name}, ${workers} workers`, async () => {
      const engine = await openOn(new FakeBroker({ steps: [] }), { workers });
      const fault = await faultOf(ingest(engine, [LINES], { transform: reference }));
      const { accepted, failed, workerCrashes } = engine.stats();
      const after = await ingest(engine, [LINES]);
      await engine.close();
      assert.equal([fault?.code, accepted, failed, workerCrashes], ['MILLRACE_USAGE', 0, 0, 0]);
      assert.is(after.acked, COUNT);
    });

for (const workers of [1, 2])
  Serving(
    `threads that die while they start, ${workers} at once: each call ends with an error, and so does one with user code`,
    async () => {
      const engine = await openOn(new FakeBroker({ steps: [] }), {
        workers,
        workerHeap: '1MiB',
        slabs: 4,
        slabBytes: 65_536,
      });
      try {
        for (const code of [{}, { transform }, {}])
          assert.match(
            (await faultOf(within('the ingest ends', 8_000, () => ingest(engine, [LINES], code))))?.message ?? 'no fault',
            /memory|were ended/,
          );
      } finally {
        await engine.close();
      }
    },
  );

// In place of the pool's: a thread that dies as soon as it has its task, so many times.
type Run = (this: Piscina, ...task: Parameters<Piscina['run']>) => Promise<unknown>;
const run = Reflect.get(Piscina.prototype, 'run') as Run;
Serving.after.each(() => void (Piscina.prototype.run = run));

for (const workers of [1, 2])
  for (const deaths of [1, 4, Number.POSITIVE_INFINITY])
    Serving(`${deaths} workers that die before they take anything, ${workers} at once`, async () => {
      let left = deaths;
      Piscina.prototype.run = async function dying(this: Piscina, ...task: Parameters<Run>): Promise<unknown> {
        if (left-- <= 0) return run.apply(this, task);
        await turn();
        throw new Error('no life in it');
      };
      const engine = await openOn(new FakeBroker({ steps: [] }), {
        workers,
        slabs: 4,
        slabBytes: 65_536,
      });
      try {
        const call = within('the ingest ends', 20_000, () => ingest(engine, [LINES]));
        if (deaths === Number.POSITIVE_INFINITY) assert.match((await faultOf(call))?.message ?? 'no fault', /no life in it/);
        else {
          const report = await call;
          closes(report);
          assert.equal([report.acked, report.failed], [COUNT, 0]);
        }
        assert.ok(engine.stats().workerCrashes >= Math.min(deaths, 4), 'the fault happened');
      } finally {
        await engine.close();
      }
    });

Serving.run();
