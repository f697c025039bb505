/** One broker message per event, for readers that know nothing of batches: bounded by what the broker takes message by message. */
import type { Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, loopUtilization, mainBusy, rate } from './metrics.ts';

const EVENTS: Readonly<Record<SetName, number>> = { quick: 200_000, full: 1_000_000 };
const FEW: Readonly<Record<SetName, number>> = { quick: 50_000, full: 200_000 };
const broker = 'jetstream' as const;

export const each: Scenario = {
  name: 'each',
  title: 'Ingest with `framing: each`: JSON in, one message per event, no ids',
  about:
    'Every event becomes one message with its own ack. `nats bench` sends random bytes of the same size and parses nothing: it is the ceiling.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, mainBusy, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 2, full: 7 },
  dropped: { quick: 0, full: 1 },
  goals: [
    { text: '`each` vs one js.publish per event', contender: 'millrace', metric: 'rate', rival: 'node-each', bar: 7, goal: 13 },
    { text: '`each` vs `nats bench js pub fast`', contender: 'millrace', metric: 'rate', rival: 'nats-fast', bar: 0.54, goal: 1 },
  ],
  contenders: (set) => [
    {
      name: 'millrace',
      label: 'Millrace, each, 1 worker',
      runner: 'ours-ingest',
      broker,
      params: { events: EVENTS[set], options: { workers: 1 }, ingest: { id: 'none', framing: 'each' } },
    },
    { name: 'node-each', label: 'Node, one js.publish per event', runner: 'node-each', broker, params: { events: FEW[set], ids: false } },
    {
      name: 'nats-async',
      label: 'nats bench js pub async',
      runner: 'nats-bench',
      broker,
      params: { kind: 'async', events: EVENTS[set], batch: 500 },
    },
    {
      name: 'nats-fast',
      label: 'nats bench js pub fast',
      runner: 'nats-bench',
      broker,
      params: { kind: 'fast', events: EVENTS[set], batch: 500 },
    },
  ],
};
