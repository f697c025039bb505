/** Parts of batches that became too large tell their own stretch of the source, so a process that took batches apart and died leaves no second copies. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { IngestOptions } from '../../../src/api/options.ts';
import type { IngestReport } from '../../../src/api/report.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { closes, openOn } from './fault-run.ts';
import { eventsOf, RecoveryBroker } from './recovery-broker.ts';
import type { Kept } from './recovery-broker.ts';

const Split = timedSuite('recovery of batches taken apart', { timeoutMs: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-split-recovery-'));
Split.after(() => rmSync(folder, { recursive: true }));
const RUNS = Number(process.env['MILLRACE_RUNS'] ?? 80);

interface Shape {
  readonly k: number;
  readonly pad: number;
  /** Cannot be read: belongs to no stretch, and breaks none. */
  readonly broken: boolean;
  /** The same bytes as the record before it. */
  readonly again: boolean;
}

interface Line {
  readonly text: string;
  readonly start: number;
  readonly subject: string;
  readonly broken: boolean;
}

let files = 0;
function fileOf(shapes: readonly Shape[]): { readonly file: string; readonly lines: readonly Line[] } {
  const lines: Line[] = [];
  let start = 0;
  let text = '';
  for (const [n, { k, pad, broken, again }] of shapes.entries()) {
    if (!again || n === 0) text = broken ? `{"n":${n},broken` : JSON.stringify({ n, k, pad: 'ä'.repeat(pad) });
    lines.push({ text, start, subject: `s.${k}`, broken: text.endsWith('broken') });
    if (again && n > 0) lines[n] = { ...lines[n - 1]!, start };
    start += Buffer.byteLength(text) + 1;
  }
  const file = join(folder, `${(files += 1)}.ndjson`);
  writeFileSync(file, lines.map((line) => `${line.text}\n`).join(''));
  return { file, lines };
}

const RANGE = /^\S+ (\d+)-(\d+)$/;

/** The promise of the header, word for word: the batch holds every accepted event of its subject whose record begins in that range. */
function checkRange({ subject, headers, payload }: Kept, lines: readonly Line[]): void {
  const found = RANGE.exec(headers.get('Millrace-Source') ?? '');
  assert.ok(found !== null, `a message of ${subject} tells no range`);
  const [from, to] = [Number(found[1]), Number(found[2])];
  const inside = lines.filter((line) => line.start >= from && line.start < to && line.subject === subject && !line.broken);
  assert.equal(
    eventsOf({ subject, headers, payload }),
    inside.map(({ text }) => JSON.parse(text) as unknown),
  );
}

async function run(broker: RecoveryBroker, file: string, options: IngestOptions = {}, batchEvents = 1_000): Promise<IngestReport> {
  const engine = await openOn(broker, { slabBytes: 65_536, batchEvents });
  try {
    const report = await engine.ingest(file, { subject: 's.{k}', id: 'offset', ...options });
    closes(report);
    assert.is(report.failed, 0);
    return report;
  } finally {
    await engine.close();
  }
}

const shapes = fc.array(
  fc.record({
    k: fc.nat(2),
    pad: fc.nat(60),
    broken: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    again: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
  }),
  { minLength: 20, maxLength: 150 },
);
const shrink = fc.record({ after: fc.nat(2), bytes: fc.integer({ min: 600, max: 1_500 }) });

Split('any parts stored when it died: each event is stored once, and each stretch is exact', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      shapes,
      shrink,
      fc.infiniteStream(fc.boolean()),
      fc.integer({ min: 1, max: 40 }),
      async (given, shrinks, isStored, batchEvents) => {
        const { file, lines } = fileOf(given);
        const first = new RecoveryBroker();
        first.shrinks = shrinks;
        await run(first, file);
        taken += first.tooLarge;
        for (const message of first.kept) checkRange(message, lines);
        const second = new RecoveryBroker(first.kept.filter(() => isStored.next().value));
        await run(second, file, {}, batchEvents);
        const stored = second.kept.flatMap((message) => eventsOf(message).map((event) => `${message.subject} ${JSON.stringify(event)}`));
        const wanted = lines.filter(({ broken }) => !broken).map(({ subject, text }) => `${subject} ${text}`);
        assert.equal(stored.toSorted(), wanted.toSorted());
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: 20_000, includeErrorInReport: true },
  );
  assert.ok(taken > RUNS / 2, `batches were taken apart: ${taken}`);
});

for (const { format, text } of [
  { format: 'csv', text: `n,pad\n${Array.from({ length: 60 }, (_, n) => `${n},"${'x'.repeat(30)}\n"`).join('\n')}\n` },
  { format: 'lines', text: Array.from({ length: 60 }, (_, n) => `line ${n} ${'x'.repeat(30)}`).join('\r\n') },
  { format: 'json', text: JSON.stringify(Array.from({ length: 60 }, (_, n) => ({ n, pad: 'x'.repeat(30) }))) },
] as const)
  Split(`${format}: what was stored in parts does not come again`, async () => {
    const file = join(folder, `source.${format}`);
    writeFileSync(file, text);
    const first = new RecoveryBroker();
    first.shrinks = { after: 0, bytes: 700 };
    assert.is((await run(first, file, { subject: 's', format })).acked, 60);
    assert.ok(first.tooLarge > 0 && first.kept.length > 3, 'the batch was taken apart');
    const second = new RecoveryBroker(first.kept.filter((_, index) => index % 2 === 0));
    const report = await run(second, file, { subject: 's', format });
    assert.is(report.accepted, 60);
    const events = second.kept.flatMap((message) => eventsOf(message).map((event) => JSON.stringify(event)));
    assert.equal([events.length, new Set(events).size], [60, 60]);
  });

Split('events of a transform tell no stretch: they may come again, and none is lost', async () => {
  const { file } = fileOf(Array.from({ length: 60 }, () => ({ k: 0, pad: 30, broken: false, again: false })));
  const options: IngestOptions = { transform: { module: new URL('../workers/fixtures/transforms.js', import.meta.url) } };
  const first = new RecoveryBroker();
  first.shrinks = { after: 0, bytes: 900 };
  await run(first, file, options);
  assert.ok(first.tooLarge > 0);
  assert.ok(first.kept.every(({ headers }) => !headers.has('Millrace-Source')));
  const second = new RecoveryBroker(first.kept.slice(0, 2));
  await run(second, file, options);
  assert.is(new Set(second.kept.flatMap((message) => eventsOf(message).map((event) => (event as { n: number }).n))).size, 60);
});

Split.run();
