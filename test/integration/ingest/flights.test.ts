/** Real records through all three targets and back: equal one by one, and in order for each origin. MILLRACE_FULL=1 takes all 3,000,000. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toJsonLine } from '../../../src/index.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { writeFlights } from './flights.ts';
import { readAll, targetNames, Targets } from './targets.ts';

const full = process.env['MILLRACE_FULL'] === '1';
const COUNT = full ? 3_000_000 : 120_000;
const Flights = timedSuite('flights', { timeoutMs: full ? 600_000 : 60_000 });
const targets = new Targets();
const file = join(targets.folder, 'flights.ndjson');
let expected = new Map<string, string[]>();
Flights.before(async () => void (expected = await writeFlights(file, COUNT)));
Flights.after(() => targets.end());

for (const target of targetNames)
  Flights(`${COUNT.toLocaleString('en')} records through ${target} and back`, async () => {
    await using processor = await targets.open(target, 'flights');
    const report = await processor.ingest(file, { subject: `${target}.{origin}` });
    assert.equal([report.accepted, report.acked, report.inFlight], [COUNT, COUNT, 0]);
    const next = new Map<string, number>();
    const began = performance.now();
    await readAll(processor, COUNT, ({ event, subject }) => {
      const origin = subject.slice(target.length + 1);
      const index = next.get(origin) ?? 0;
      // No assert per record: building its message would be most of the time.
      if (toJsonLine(event) !== expected.get(origin)?.[index])
        assert.is(toJsonLine(event), expected.get(origin)?.[index], `${origin} ${index}`);
      next.set(origin, index + 1);
    });
    if (full)
      process.stdout.write(
        `${target}: in ${report.elapsedMs} ms, ${report.eventsPerSecond} events/s, ${report.messages} messages; back and compared in ${Math.round(performance.now() - began)} ms\n`,
      );
    assert.is(next.size, expected.size);
    for (const [origin, lines] of expected) assert.is(next.get(origin), lines.length, origin);
  });

for (const target of targetNames.filter((name) => name !== 'jetstream'))
  Flights(`natural duplicates are found by content: ${target}`, async () => {
    await using processor = await targets.open(target, 'unique');
    const report = await processor.ingest(file, { subject: `${target}-unique`, id: 'hash' });
    const unique = new Set([...expected.values()].flat()).size;
    assert.equal([report.accepted, report.acked, report.duplicates], [COUNT, unique, COUNT - unique]);
    const seen = new Set<string>();
    await readAll(processor, unique, ({ event }) => void seen.add(toJsonLine(event)));
    assert.is(seen.size, unique);
  });

Flights.run();
