/** The event loop of the embedding process at half the top rate: what a server that also answers requests has to live with. */
import type { Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, gcMax, loopP99, loopUtilization, mainBusy, rate } from './metrics.ts';

const EVENTS: Readonly<Record<SetName, number>> = { quick: 1_000_000, full: 2_000_000 };

export const loop: Scenario = {
  name: 'loop',
  title: 'The event loop at half the top rate',
  about:
    'The same ingest as above with `maxRate` at half of what the last part of its own warm-up reached. The delay is that of a timer of 1 ms, less that millisecond. Flat out is in the table of the ingest.',
  sets: ['quick', 'full'],
  metrics: [loopP99, loopUtilization, rate, cpuPerMillion, brokerCpuPerMillion, mainBusy, gcMax],
  primary: 'loopP99Ms',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 6, full: 50 },
  goals: [{ text: 'event loop delay p99 at half the top rate, ms', contender: 'half', metric: 'loopP99Ms', bar: 2, goal: 1 }],
  contenders: (set) => [
    {
      name: 'half',
      label: 'Millrace, 2 workers, half the top rate',
      runner: 'ours-ingest',
      broker: 'jetstream',
      params: {
        events: EVENTS[set],
        warmUp: 500_000,
        duplicates: 0.02,
        halfRate: true,
        options: { workers: 2 },
        ingest: { id: '/id' },
      },
    },
  ],
};
