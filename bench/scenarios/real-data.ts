/** Real records instead of generated ones: three million flights, and GitHub's webhook payloads. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, inputRate, loopP99, loopUtilization, rate } from './metrics.ts';

const FLIGHTS: Readonly<Record<SetName, number>> = { quick: 300_000, full: 2_000_000 };
const HOOKS: Readonly<Record<SetName, number>> = { quick: 10_000, full: 30_000 };

function contenders(set: SetName): readonly Contender[] {
  const broker = 'jetstream' as const;
  const flights = { data: 'flights', warmUp: 100_000, events: FLIGHTS[set] };
  const hooks = { data: 'webhooks', warmUp: 3_000, events: HOOKS[set] };
  return [
    {
      name: 'flights',
      label: 'flights: Millrace, id by content',
      group: 'flights',
      runner: 'ours-ingest',
      broker,
      params: { ...flights, options: { workers: 1 }, ingest: { id: 'hash' } },
    },
    {
      name: 'flights-node',
      label: 'flights: Node, arrays of 400, Set of lines',
      group: 'flights',
      runner: 'node-batch',
      broker,
      roundsMax: 2,
      params: { ...flights, events: FLIGHTS[set] / 2 },
    },
    {
      name: 'webhooks',
      label: 'webhooks: Millrace, subject by field',
      group: 'webhooks',
      runner: 'ours-ingest',
      broker,
      params: { ...hooks, options: { workers: 1 }, ingest: { id: '/id', subject: 'bench.{name}' } },
    },
    {
      name: 'webhooks-node',
      label: 'webhooks: Node, arrays of 20, one subject',
      group: 'webhooks',
      runner: 'node-batch',
      broker,
      roundsMax: 2,
      params: { ...hooks, batch: 20 },
    },
  ];
}

export const realData: Scenario = {
  name: 'real-data',
  title: 'Real data to JetStream',
  about:
    'flights-3m (US flights of 2001 in time order, from vega-datasets; some records are there twice) and the webhook examples of GitHub (0.9 to 27 KB, deep; from @octokit/webhooks-examples), repeated.',
  sets: ['full'],
  metrics: [rate, inputRate, cpuPerMillion, brokerCpuPerMillion, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 20, full: 90 },
  goals: [],
  contenders,
};
