/** A stream far larger than memory passes, and a broker stops answering: resident memory stays where it was, and the main thread allocates next to nothing. */
import type { Contender, Params, Scenario, SetName } from '../harness/types.ts';
import { gcMax, loopP99, loopUtilization, peakRss, rate } from './metrics.ts';

const GIGABYTES: Readonly<Record<SetName, number>> = { quick: 1, full: 10 };
const STOPPED_SECONDS: Readonly<Record<SetName, number>> = { quick: 5, full: 60 };
const mebibytes = (key: string, label: string): Scenario['metrics'][number] => ({ key, label, unit: 'MiB', better: 'lower', digits: 0 });

function contenders(set: SetName): readonly Contender[] {
  const one = (name: string, label: string, params: Params): Contender => ({
    name,
    label: `Millrace, ${label}`,
    group: name,
    runner: 'ours-memory',
    broker: 'jetstream',
    params: { mode: name, ...params },
  });
  const long = { roundsMax: 1 };
  return [
    { ...one('stream', `${GIGABYTES[set]} GB of events`, { gigabytes: GIGABYTES[set] }), ...long },
    { ...one('stopped', `broker stopped for ${STOPPED_SECONDS[set]} s`, { seconds: STOPPED_SECONDS[set] }), ...long },
    one('allocation', 'allocation profile, 4 M events', { events: 4_000_000, warmUp: 250_000, duplicates: 0.02 }),
  ];
}

export const memory: Scenario = {
  name: 'memory',
  title: 'Memory: a long stream, a broker that stops, and what the main thread allocates',
  about:
    'Resident memory of the whole process every 100 ms, events made on the way, ids by `/id`, the stream keeps its newest 512 MiB. Allowed is what the process had after connecting, plus the ring, plus the dedupe window; "above" is the peak minus that. ' +
    '"Growth" compares the last quarter of the time with the third. While the broker is stopped (SIGSTOP), an ingest whose source never runs dry pushes against it; afterwards it goes on, and every event is acknowledged. ' +
    'Allocation is sampled by V8’s heap profiler on the main thread after a warm-up, in a run of its own.',
  sets: ['full'],
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
    gcMax,
    rate,
  ],
  primary: 'peakRssMiB',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 20, full: 130 },
  goals: [
    {
      text: 'peak RSS above baseline + ring + window, 10 GB stream, MiB',
      contender: 'stream',
      metric: 'aboveAllowedMiB',
      bar: 64,
      goal: 32,
    },
    {
      text: 'peak RSS above baseline + ring + window, broker stopped, MiB',
      contender: 'stopped',
      metric: 'aboveAllowedMiB',
      bar: 64,
      goal: 32,
    },
    { text: 'allocation on the main thread, B per event', contender: 'allocation', metric: 'allocatedPerEvent', bar: 1, goal: 0.1 },
  ],
  contenders,
};
