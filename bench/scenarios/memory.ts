/** A stream far larger than memory passes: resident memory stays where it was, and the main thread allocates next to nothing. */
import type { Scenario, SetName } from '../harness/types.ts';
import { loopP99, loopUtilization, peakRss, rate } from './metrics.ts';

const MEBIBYTES: Readonly<Record<SetName, number>> = { quick: 500, full: 5_000 };
const ALLOCATION_MEBIBYTES = 200;
const mebibytes = (key: string, label: string): Scenario['metrics'][number] => ({ key, label, unit: 'MiB', better: 'lower', digits: 0 });

export const memory: Scenario = {
  name: 'memory',
  title: 'Memory: a long stream of events, ids by /id',
  about:
    'Resident memory of the whole process every 100 ms. Allowed is what the process had after connecting, plus the ring, plus the dedupe window; "above" is the peak minus that. ' +
    '"Growth" compares the last quarter with the third. Allocation is sampled by V8’s heap profiler on the main thread in a run of its own.',
  sets: ['quick', 'full'],
  metrics: [
    peakRss,
    mebibytes('baselineMiB', 'baseline'),
    mebibytes('ringMiB', 'ring'),
    mebibytes('windowMiB', 'window'),
    mebibytes('aboveAllowedMiB', 'above'),
    { ...mebibytes('growthMiB', 'growth'), digits: 1 },
    { key: 'allocatedPerEvent', label: 'allocated', unit: 'B/event', better: 'lower', digits: 2 },
    loopUtilization,
    loopP99,
    rate,
  ],
  primary: 'peakRssMiB',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  goals: [
    { text: 'peak RSS above baseline + ring + window, MiB', contender: 'stream', metric: 'aboveAllowedMiB', bar: 64, goal: 32 },
    { text: 'allocation on the main thread, B per event', contender: 'allocation', metric: 'allocatedPerEvent', bar: 1, goal: 0.1 },
  ],
  contenders: (set) => [
    {
      name: 'stream',
      label: `Millrace, ${MEBIBYTES[set].toLocaleString('en-US')} MiB of events`,
      group: 'stream',
      runner: 'ours-memory',
      broker: 'jetstream',
      params: { mebibytes: MEBIBYTES[set] },
    },
    {
      name: 'allocation',
      label: `Millrace, allocation profile, ${ALLOCATION_MEBIBYTES} MiB`,
      group: 'allocation',
      runner: 'ours-memory',
      broker: 'jetstream',
      params: { mebibytes: ALLOCATION_MEBIBYTES, allocation: true },
    },
  ],
};
