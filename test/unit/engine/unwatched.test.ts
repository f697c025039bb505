/** Inline user code cannot be stopped: an ingest that runs some says so once, and no other does. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import { openOn } from './fault-run.ts';

const Unwatched = timedSuite('user code that nothing watches', { timeoutMs: 20_000 });
const module = new URL('../workers/fixtures/transforms.js', import.meta.url);

for (const { name, workers, code, warnings } of [
  { name: 'a transform inline', workers: 0, code: { transform: { module } }, warnings: 1 },
  { name: 'a schema inline', workers: 0, code: { schema: { module, export: 'standard' } }, warnings: 1 },
  { name: 'a transform in a worker', workers: 1, code: { transform: { module } }, warnings: 0 },
  { name: 'no user code', workers: 0, code: {}, warnings: 0 },
])
  Unwatched(`${name}: ${warnings} warning`, async () => {
    const engine = await openOn(new FakeBroker({ steps: [] }), { workers });
    const heard: string[] = [];
    engine.on('warning', (message) => heard.push(message));
    const sources = [0, 1].map((n) => [Buffer.from(`{"n":${n}}\n`)]);
    const report = await engine.ingest(sources as never, { id: 'none', ...code });
    await engine.close();
    assert.is(report.acked, 2);
    assert.is(heard.length, warnings, heard.join('\n'));
    if (warnings > 0) assert.match(heard[0]!, /workers is 0/);
  });

Unwatched.run();
