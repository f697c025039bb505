/** One event at a time at a fixed rate: what a caller of `publish` waits for. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';
import { p50, p99 } from './metrics.ts';

const SECONDS: Readonly<Record<SetName, number>> = { quick: 3, full: 5 };
const RATES = [1_000, 10_000];

function contenders(set: SetName): readonly Contender[] {
  const seconds = SECONDS[set];
  const broker = 'jetstream' as const;
  const paced = RATES.flatMap((perSecond): Contender[] => {
    const group = `${perSecond / 1_000} k/s`;
    const one = (name: string, label: string, system: string): Contender => ({
      name: `${name}-${perSecond}`,
      label: `${label}, ${group}`,
      group,
      ...(system === 'millrace' ? {} : { roundsMax: 2 }),
      runner: 'ours-latency',
      broker,
      params: { system, perSecond, seconds },
    });
    return [
      one('millrace', 'Millrace publish', 'millrace'),
      one('client', 'msgpackr + js.publish', 'client'),
      one('none', 'the harness alone (no broker)', 'none'),
    ];
  });
  return [
    ...paced,
    {
      name: 'nats-sync',
      label: 'nats bench js pub sync (closed loop)',
      group: '1 k/s',
      runner: 'nats-bench',
      broker,
      roundsMax: 3,
      params: { kind: 'sync', events: set === 'quick' ? 5_000 : 30_000 },
    },
  ];
}

export const latency: Scenario = {
  name: 'latency',
  title: 'Latency of publish(one) to JetStream, open loop',
  about:
    'A thread of its own says when each publish is due; latency runs from that moment to the ack, so a stall is paid by everything it holds up. What the harness itself adds (the thread hop, the timer) is a row of its own. `nats bench js pub sync` sends the next only after the ack of the last, from a Go program: a lower bound.',
  sets: ['quick', 'full'],
  metrics: [
    p50,
    { key: 'p90Ms', label: 'p90', unit: 'ms', better: 'lower', digits: 3 },
    p99,
    { key: 'p999Ms', label: 'p99.9', unit: 'ms', better: 'lower', digits: 2 },
  ],
  primary: 'p99Ms',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 30, full: 180 },
  goals: [
    {
      text: 'publish(one) at 1 k/s, p50, ms (goal: 1.5× nats bench sync)',
      contender: 'millrace-1000',
      metric: 'p50Ms',
      bar: 0.4,
      goal: 0.105,
    },
    { text: 'publish(one) at 1 k/s, p99, ms (goal: 2× nats bench sync)', contender: 'millrace-1000', metric: 'p99Ms', bar: 1, goal: 0.324 },
    { text: 'publish(one) at 10 k/s, p50, ms', contender: 'millrace-10000', metric: 'p50Ms', bar: 0.8, goal: 0.21 },
    { text: 'publish(one) at 10 k/s, p99, ms', contender: 'millrace-10000', metric: 'p99Ms', bar: 2, goal: 0.648 },
  ],
  contenders,
};
