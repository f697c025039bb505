/** Objects by `publish()`, thousands in flight: what an application that makes events itself gets. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, loopUtilization, rate } from './metrics.ts';

const EVENTS: Readonly<Record<SetName, number>> = { quick: 100_000, full: 400_000 };
const FEW: Readonly<Record<SetName, number>> = { quick: 50_000, full: 100_000 };

function contenders(set: SetName): readonly Contender[] {
  const one = (name: string, label: string, params: Contender['params']): Contender => ({
    name,
    label,
    runner: 'ours-objects',
    broker: 'jetstream',
    params,
  });
  return [
    one('each', 'Millrace publish, each', { system: 'millrace', framing: 'each', events: EVENTS[set] }),
    one('batch', 'Millrace publish, batch', { system: 'millrace', framing: 'batch', events: EVENTS[set] }),
    one('client', 'msgpackr + js.publish, with an id', { system: 'client', events: FEW[set] }),
    one('client-no-ids', 'msgpackr + js.publish, no id', { system: 'client', events: FEW[set], ids: false }),
  ];
}

export const objects: Scenario = {
  name: 'objects',
  title: 'Objects by publish(), 4,096 in flight, JetStream',
  about:
    'The same 10,000 objects again and again, each call awaited by its own promise. The caller gives no ids; a message of one event, and a batch, get one from Millrace, so that what is sent again after a lost answer is stored once. The bars compare with a client that does the same.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 12, full: 110 },
  goals: [
    { text: 'objects, each, vs msgpackr + js.publish', contender: 'each', metric: 'rate', rival: 'client', bar: 3, goal: 5 },
    { text: 'objects, batch, vs msgpackr + js.publish', contender: 'batch', metric: 'rate', rival: 'client', bar: 8, goal: 20 },
  ],
  also: [{ text: 'objects, each, vs msgpackr + js.publish without ids', contender: 'each', metric: 'rate', rival: 'client-no-ids' }],
  contenders,
};
