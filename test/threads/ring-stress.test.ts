/** The slab protocol on real threads, beside a noisy neighbour: MILLRACE_STRESS_SECONDS spreads over all rows of the table. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../harness/timeout.ts';
import { RingStress } from './ring-stress-main.ts';
import type { StressOptions } from './ring-stress-main.ts';

const SECONDS = Number(process.env['MILLRACE_STRESS_SECONDS'] ?? 8);
const MODES: readonly StressOptions['mode'][] = ['message', 'mailbox'];
const rows = [2, 3, 4, 64].flatMap((slabs) => MODES.map((mode) => ({ slabs, mode, workers: slabs === 3 ? 3 : 2 })));
const RingStressSuite = timedSuite('ring under stress', { timeoutMs: 30_000 + SECONDS * 1_000 });

for (const { slabs, mode, workers } of rows)
  RingStressSuite(`keeps ${slabs} slabs whole between ${workers} workers, by ${mode}`, async () => {
    const result = await new RingStress({ slabs, mode, workers, seconds: SECONDS / rows.length, killEvery: 50 }).run();
    assert.ok(result.committed > slabs, `${JSON.stringify(result)}: too few slabs to show anything`);
    assert.ok(result.killed > 0 && result.resumed > 0, `${JSON.stringify(result)}: no fault occurred`);
  });

RingStressSuite.run();
