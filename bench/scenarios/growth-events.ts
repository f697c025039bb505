/** Linear or not: the cost of an event from a hundred thousand of them to a hundred million. */
import type { Contender, Scenario } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, peakRss, rate } from './metrics.ts';

const POINTS = [100_000, 1_000_000, 10_000_000, 100_000_000];
/** As many as the dedupe window holds by default: every point starts with a full one. */
const WARM_UP = 4_200_000;
/** The largest point takes longer than all others together. */
const ROUNDS_OF_LARGEST = 1;
const [LEAST, GREATEST] = [String(POINTS.at(0)), String(POINTS.at(-1))] as const;

export const growthEvents: Scenario = {
  name: 'growth-events',
  title: 'Growth with the number of events',
  about:
    'Events are made on the way, by the process itself, at a few milliseconds per hundred thousand; the stream keeps its newest 512 MiB. Each point follows a warm-up of 4.2 million events, so that start-up is excluded and the dedupe window is full, as in a process that has run for a while.',
  sets: ['full'],
  metrics: [
    rate,
    { key: 'nsPerEvent', label: 'time', unit: 'ns', better: 'lower', digits: 0 },
    cpuPerMillion,
    brokerCpuPerMillion,
    loopP99,
    peakRss,
  ],
  primary: 'rate',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 120, full: 180 },
  goals: [
    {
      text: 'time of an event at 10^8 events, over that at 10^5',
      contender: GREATEST,
      rival: LEAST,
      metric: 'nsPerEvent',
      cost: true,
      bar: 1.1,
      goal: 1.03,
    },
    {
      text: 'CPU of an event at 10^8 events, over that at 10^5',
      contender: GREATEST,
      rival: LEAST,
      metric: 'cpuPerMillion',
      cost: true,
      bar: 1.1,
      goal: 1.03,
    },
  ],
  contenders: () =>
    POINTS.map((x): Contender => ({
      name: String(x),
      label: x.toLocaleString('en-US'),
      runner: 'ours-ingest',
      broker: 'jetstream',
      ...(x === POINTS.at(-1) ? { roundsMax: ROUNDS_OF_LARGEST } : x === POINTS.at(-2) ? { roundsMax: 3 } : {}),
      params: {
        x,
        events: x,
        warmUp: WARM_UP,
        generated: true,
        options: { workers: 1, maxBytes: '512MiB' },
        ingest: { id: '/id' },
      },
    })),
  curve: { x: 'events', label: 'events/s', log: true },
};
