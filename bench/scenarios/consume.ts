/** Reading back: batches to a handler, and one message per event, each message acknowledged. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, loopUtilization, rate } from './metrics.ts';

const BATCHED: Readonly<Record<SetName, number>> = { quick: 300_000, full: 3_000_000 };
const EACH: Readonly<Record<SetName, number>> = { quick: 100_000, full: 300_000 };

function contenders(set: SetName): readonly Contender[] {
  const one = (group: 'batch' | 'each', reader: string, label: string): Contender => ({
    name: `${group}-${reader}`,
    label: `${label}, ${group}`,
    group,
    runner: 'ours-consume',
    broker: 'jetstream',
    ...(reader === 'client-callback' ? { roundsMax: 2 } : {}),
    params: { reader, framing: group, events: group === 'batch' ? BATCHED[set] : EACH[set] },
  });
  return [
    one('batch', 'main', 'Millrace, handler on main'),
    one('batch', 'worker', 'Millrace, handler in workers'),
    one('batch', 'client-callback', 'nats.js callback + msgpackr'),
    one('each', 'main', 'Millrace, handler on main'),
    one('each', 'client-iterate', 'nats.js for await, ack each'),
    one('each', 'client-callback', 'nats.js callback, ack each'),
  ];
}

export const consume: Scenario = {
  name: 'consume',
  title: 'Consume from JetStream with a durable, every message acknowledged',
  about:
    'The stream was filled before; timed from the subscription to the last ack sent. Every reader decodes every event and sums a hash of its id.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 22, full: 160 },
  goals: [
    { text: 'consume, batches, handler in workers, events/s', contender: 'batch-worker', metric: 'rate', bar: 1_000_000, goal: 2_000_000 },
    { text: 'consume, batches, handler on main, events/s', contender: 'batch-main', metric: 'rate', bar: 300_000, goal: 600_000 },
    {
      text: 'consume, one message per event, vs nats.js for await',
      contender: 'each-main',
      metric: 'rate',
      rival: 'each-client-iterate',
      bar: 2,
      goal: 4.5,
    },
  ],
  contenders,
};
