/** User code in workers: it changes, drops and splits events; whatever it does to its worker, only that event is lost to the dead letters (I13). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { IngestOptions } from '../../../src/api/options.ts';
import type { IngestReport } from '../../../src/api/report.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { DeadLetter } from '../../../src/resilience/dead-letter-types.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { FakeBroker } from '../engine/fake-broker.ts';
import { closes, openOn } from '../engine/fault-run.ts';
import { readLetters } from '../engine/letters.ts';

const UserCode = timedSuite('user code in workers', { timeoutMs: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-user-code-'));
UserCode.after(() => rmSync(folder, { recursive: true }));
const module = new URL('fixtures/transforms.js', import.meta.url);

interface Ran {
  readonly report: IngestReport;
  /** Events of the broker, in order of `n`. */
  readonly events: readonly Record<string, unknown>[];
  readonly letters: readonly DeadLetter[];
  readonly crashes: number;
}

let runs = 0;
/** Events 0 to `count` - 1, some of which have a deed. */
async function run(
  deeds: Readonly<Record<number, string>>,
  count: number,
  setting: { readonly workers: number; readonly engine?: object; readonly ingest?: Partial<IngestOptions> },
): Promise<Ran> {
  const broker = new FakeBroker({ steps: [] });
  const deadLetters = join(folder, `letters-${(runs += 1)}`);
  const engine: Engine = await openOn(broker, {
    workers: setting.workers,
    deadLetters,
    workerTimeout: 400,
    workerHeap: '64MiB',
    ...setting.engine,
  });
  const text = Array.from({ length: count }, (_, n) => JSON.stringify(deeds[n] === undefined ? { n } : { n, do: deeds[n] })).join('\n');
  try {
    const report = await engine.ingest([Buffer.from(text)] as never, {
      format: 'ndjson',
      id: 'none',
      transform: { module },
      deadLetters,
      ...setting.ingest,
    });
    closes(report);
    const events = broker.stored
      .flatMap((message) => message.events as Record<string, unknown>[])
      .sort((left, right) => Number(left['n']) - Number(right['n']));
    return { report, events, letters: await readLetters(deadLetters), crashes: engine.stats().workerCrashes };
  } finally {
    await engine.close();
  }
}

const numbers = (count: number, ...without: number[]): number[] =>
  Array.from({ length: count }, (_, n) => n).filter((n) => !without.includes(n));

for (const workers of [0, 1, 2])
  UserCode(`changes, drops and splits, ${workers} workers`, async () => {
    const { report, events } = await run({ 1: 'drop', 2: 'none', 3: 'change', 4: 'split' }, 1_000, { workers });
    assert.equal([report.accepted, report.acked, report.dropped], [1_002, 1_000, 2]);
    assert.equal(
      events.filter(({ n }) => Number(n) < 6),
      [
        { n: 0 },
        { n: 3, do: 'change', changed: true },
        { n: 4, do: 'split', part: 0 },
        { n: 4, do: 'split', part: 1 },
        { n: 4, do: 'split', part: 2 },
        { n: 5 },
      ],
    );
  });

for (const workers of [0, 1])
  UserCode(`what it throws is the reject of that event only, ${workers} workers`, async () => {
    const deeds = { 3: 'throw', 5: 'text', 7: 'huge', 9: 'promise', 11: 'unpackable' };
    const { report, events, letters } = await run(deeds, 300, { workers });
    assert.equal([report.accepted, report.rejected], [300, 5]);
    assert.equal(
      events.map(({ n }) => n),
      numbers(300, 3, 5, 7, 9, 11),
    );
    assert.equal(
      letters.map(({ reason, origin }) => [reason, origin!.line]),
      [3, 5, 7, 9, 11].map((n) => ['transform', n + 1]),
    );
    assert.match(letters[0]!.message, /transform failed: I throw at the source:4, byte/);
    assert.ok(letters[2]!.message.length < 1_000);
  });

for (const deed of ['exit', 'loop', 'memory'])
  UserCode(
    `a worker that ends by '${deed}': its event becomes a dead letter, its neighbours go once, the pool is whole again`,
    async () => {
      for (const workers of deed === 'exit' ? [1, 2] : [1]) {
        const { report, events, letters, crashes } = await run({ 0: deed, 400: deed, 401: deed }, 900, { workers });
        assert.equal([report.accepted, report.acked, report.rejected, report.inFlight], [900, 897, 3, 0]);
        assert.equal(
          events.map(({ n }) => n),
          numbers(900, 0, 400, 401),
        );
        assert.equal(
          letters.map(({ reason, origin }) => [reason, origin!.line]),
          [
            ['worker_crash', 1],
            ['worker_crash', 401],
            ['worker_crash', 402],
          ],
        );
        assert.ok(crashes >= 3, `${crashes} crashes`);
        if (deed === 'loop') assert.match(letters[0]!.message, /no sign of life for 400 ms \(workerTimeout\)/);
      }
    },
  );

UserCode('lines after a dead event keep their numbers', async () => {
  const { letters } = await run({ 2: 'exit', 5: 'throw' }, 10, { workers: 1 });
  assert.equal(
    letters.map(({ reason, origin }) => [reason, origin!.line]),
    [
      ['worker_crash', 3],
      ['transform', 6],
    ],
  );
});

UserCode('many poison events in one slab do not use up the patience with slabs that wait behind it', async () => {
  const poison = [1, 4, 7, 10, 13, 16];
  const { report, events } = await run(Object.fromEntries(poison.map((n) => [n, 'exit'])), 2_000, { workers: 1 });
  assert.equal([report.acked, report.rejected], [1_994, 6]);
  assert.equal(
    events.map(({ n }) => n),
    numbers(2_000, ...poison),
  );
});

const schemas = [
  {
    name: 'a function',
    ref: { module, export: 'schema' },
    deeds: { 1: 'false', 2: 'words' },
    message: /does not match the schema: not like this/,
  },
  { name: 'a Standard Schema', ref: { module, export: 'standard' }, deeds: { 1: 'x', 2: 'y' }, message: /\/do: must not be there/ },
];
for (const { name, ref, deeds, message } of schemas)
  UserCode(`schema: ${name}`, async () => {
    const broker = new FakeBroker({ steps: [] });
    const deadLetters = join(folder, `schema-${ref.export}`);
    const engine = await openOn(broker, { workers: 1, deadLetters });
    const text = [0, 1, 2, 3].map((n) => JSON.stringify({ n, do: (deeds as Record<number, string>)[n] })).join('\n');
    const report = await engine.ingest([Buffer.from(text)] as never, { format: 'ndjson', id: 'none', schema: ref, deadLetters });
    await engine.close();
    assert.equal([report.acked, report.rejected], [2, 2]);
    const letters = await readLetters(deadLetters);
    assert.equal(
      letters.map(({ reason }) => reason),
      ['validation', 'validation'],
    );
    assert.match(letters[1]!.message, message);
  });

for (const [name, ref] of Object.entries({
  'no such file': { module: new URL('file:///no/such/module.js') },
  'no such export': { module, export: 'nothingOfTheKind' },
  'not a function': { module, export: 'notAFunction' },
}))
  UserCode(`a module that cannot be used is one clear error: ${name}`, async () => {
    for (const workers of [0, 1]) {
      const error = await run({}, 10, { workers, ingest: { transform: ref } }).then(
        () => null,
        (thrown: MillraceError) => thrown,
      );
      assert.is(error?.code, 'MILLRACE_USAGE', String(error));
      assert.ok(!error!.message.includes('\n'), error!.message);
    }
  });

UserCode.run();
