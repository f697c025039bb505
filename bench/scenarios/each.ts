/** One broker message per event, for readers that know nothing of batches: bounded by what the broker takes message by message. */
import type { Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, loopUtilization, mainBusy, rate } from './metrics.ts';

const EVENTS: Readonly<Record<SetName, number>> = { quick: 200_000, full: 600_000 };
const FEW: Readonly<Record<SetName, number>> = { quick: 30_000, full: 60_000 };
const broker = 'jetstream' as const;

export const each: Scenario = {
  name: 'each',
  title: 'Ingest with `framing: each`: JSON in, one message per event, no ids',
  about:
    'Every event becomes one message with its own ack. `nats bench` sends random bytes of the same size, parses nothing and has no warm-up: it is the ceiling.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, mainBusy, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 25, full: 130 },
  goals: [
    {
      text: '`each` vs one js.publish per event, client as it comes',
      contender: 'millrace',
      metric: 'rate',
      rival: 'node-each',
      bar: 7,
      goal: 13,
    },
    { text: '`each` vs `nats bench js pub async`', contender: 'millrace', metric: 'rate', rival: 'nats-async', bar: 1, goal: 1.4 },
    { text: '`each` vs `nats bench js pub fast`', contender: 'millrace', metric: 'rate', rival: 'nats-fast', bar: 0.54, goal: 1 },
  ],
  also: [
    {
      text: '`each` vs one js.publish per event, client with noAsyncTraces',
      contender: 'millrace',
      metric: 'rate',
      rival: 'node-each-tuned',
    },
  ],
  contenders: (set) => [
    {
      name: 'millrace',
      label: 'Millrace, each, 1 worker',
      runner: 'ours-ingest',
      broker,
      params: { events: EVENTS[set], warmUp: 50_000, options: { workers: 1 }, ingest: { id: 'none', framing: 'each' } },
    },
    {
      name: 'node-each',
      label: 'Node, one js.publish per event, client as it comes',
      runner: 'node-each',
      broker,
      params: { events: FEW[set], warmUp: 15_000, ids: false },
    },
    {
      name: 'node-each-tuned',
      label: 'Node, one js.publish per event, client with noAsyncTraces',
      runner: 'node-each',
      broker,
      params: { events: FEW[set] * 3, warmUp: 30_000, ids: false, tuned: true },
    },
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
