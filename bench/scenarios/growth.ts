/** How cost grows: with event size, subjects and workers. One curve each of short runs; the full set only. */
import type { Contender, Json, Scenario } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, inputRate, loopP99, loopUtilization, mainBusy, peakRss, rate } from './metrics.ts';

export interface CurvePlan {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly label: string;
  readonly log?: boolean;
  readonly points: readonly { readonly x: number; readonly params: Readonly<Record<string, Json>> }[];
}

/** A scenario whose contenders are the points of one curve. */
export function curve({ name, title, about, label, log = false, points }: CurvePlan): Scenario {
  return {
    name,
    title,
    about,
    sets: ['full'],
    metrics: [rate, inputRate, cpuPerMillion, brokerCpuPerMillion, mainBusy, loopUtilization, loopP99, peakRss],
    primary: 'rate',
    rounds: { quick: 1, full: ROUNDS },
    dropped: { quick: 0, full: 0 },
    seconds: { quick: points.length * POINT_SECONDS, full: points.length * POINT_SECONDS * ROUNDS },
    goals: [],
    contenders: () =>
      points.map(({ x, params }): Contender => ({
        name: String(x),
        label: `${x.toLocaleString('en-US')}`,
        runner: 'ours-ingest',
        broker: 'jetstream',
        params: { ...base, x, ...params },
      })),
    curve: { x: label, label: 'events/s', log },
  };
}

const base = { events: 1_000_000, warmUp: 100_000, duplicates: 0.02, options: { workers: 1 }, ingest: { id: '/id' } };
const over = (values: readonly number[], params: (x: number) => Readonly<Record<string, Json>>): CurvePlan['points'] =>
  values.map((x) => ({ x, params: params(x) }));
const ROUNDS = 2;
/** A process, its warm-up, a second of ingest and the check. */
const POINT_SECONDS = 4;
/** About as many bytes at each size. */
const CURVE_BYTES = 200_000_000;

export const growth: readonly Scenario[] = [
  curve({
    name: 'growth-size',
    title: 'Growth with the size of an event',
    about: 'About 200 MB at each size.',
    label: 'bytes per event',
    log: true,
    points: over([100, 1_000, 10_000, 100_000], (bytes) => ({
      bytes,
      events: Math.round(CURVE_BYTES / bytes),
      warmUp: Math.round(CURVE_BYTES / bytes / 10),
    })),
  }),
  curve({
    name: 'growth-subjects',
    title: 'Growth with the number of subjects',
    about: 'A batch is per subject, so many subjects tend to one message per event.',
    label: 'subjects',
    log: true,
    points: over([1, 100, 10_000, 100_000], (subjects) => ({
      events: 200_000,
      warmUp: 30_000,
      subjects,
      ingest: { id: '/id', subject: 'bench.{s}' },
    })),
  }),
  curve({
    name: 'growth-workers',
    title: 'Workers',
    about: '0 = the same stages inline on the main thread. The broker needs a core too.',
    label: 'workers',
    points: over([0, 1, 2, 3, 4], (workers) => ({ options: { workers } })),
  }),
];
