/** The kinds that have no scenario of their own, in and out: embedded, NATS Streaming, Kafka. */
import type { BrokerKind, Contender, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, rate } from './metrics.ts';

const EVENTS: Readonly<Record<SetName, Readonly<Record<'batch' | 'each', number>>>> = {
  quick: { batch: 200_000, each: 30_000 },
  full: { batch: 1_000_000, each: 150_000 },
};
const kinds: readonly (readonly [target: string, label: string, broker: BrokerKind | undefined])[] = [
  ['embedded', 'embedded', undefined],
  ['streaming', 'NATS Streaming', 'streaming'],
  ['kafka', 'Kafka', 'kafka'],
];

function contenders(set: SetName): readonly Contender[] {
  return (['batch', 'each'] as const).flatMap((framing) =>
    kinds.map(([target, label, broker]) => ({
      name: `${target}-${framing}`,
      label: `${label}, ${framing}`,
      group: framing,
      runner: 'ours-kinds',
      ...(broker === undefined ? {} : { broker }),
      params: { target, framing, events: EVENTS[set][framing] },
    })),
  );
}

export const kindsScenario: Scenario = {
  name: 'kinds',
  title: 'In and out by kind',
  about:
    'A file in, acknowledged; then a durable subscription with a handler on the main thread reads all of it back, each message acknowledged. No ids. Cold: each process ingests once. ' +
    'The kinds promise different things (docs/processors.md): this is a table to choose by, and no race.',
  sets: ['full'],
  metrics: [
    rate,
    { key: 'outRate', label: 'read back', unit: 'events/s', better: 'higher' },
    { key: 'messages', label: 'messages', unit: '', better: 'lower' },
    cpuPerMillion,
    brokerCpuPerMillion,
  ],
  primary: 'rate',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 30, full: 110 },
  goals: [],
  contenders,
};
