/** Ingest to Kafka, idempotent, acks of all in-sync replicas: batches and one record per event, beside the same client used as its README does. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, loopUtilization, rate } from './metrics.ts';

const BATCHED: Readonly<Record<SetName, number>> = { quick: 300_000, full: 1_000_000 };
const EACH: Readonly<Record<SetName, number>> = { quick: 50_000, full: 150_000 };
const BATCH_BYTES = 65_536;

function contenders(set: SetName): readonly Contender[] {
  const broker = 'kafka' as const;
  const ours = { target: 'kafka', warmUp: 100_000, options: { workers: 1, batchBytes: BATCH_BYTES } };
  const all: Contender[] = [
    {
      name: 'batch',
      label: 'Millrace, 64 KiB batches',
      group: 'batch',
      runner: 'ours-ingest',
      broker,
      params: { ...ours, events: BATCHED[set], ingest: { id: 'none' } },
    },
    {
      name: 'batch-naive',
      label: 'client, arrays of 400, a send for each 8',
      group: 'batch',
      runner: 'kafka-naive',
      broker,
      params: { events: BATCHED[set] / 2, warmUp: 50_000, batch: 400, records: 8 },
      roundsMax: 2,
    },
    {
      name: 'each',
      label: 'Millrace, one record per event',
      group: 'each',
      runner: 'ours-ingest',
      broker,
      params: { ...ours, events: EACH[set], warmUp: 20_000, ingest: { id: 'none', framing: 'each' } },
    },
    {
      name: 'each-naive',
      label: 'client, a send for each 100 records',
      group: 'each',
      runner: 'kafka-naive',
      broker,
      params: { events: EACH[set] / 2, warmUp: 10_000, batch: 1, records: 100 },
    },
  ];
  return all.filter(({ name }) => set === 'full' || name !== 'batch-naive');
}

export const kafka: Scenario = {
  name: 'kafka',
  title: 'Ingest: NDJSON file to Kafka 4.1, one partition',
  about:
    'Idempotent, acks from all in-sync replicas, one broker in one JVM on the same cores, warmed up by each contender on its own topic. No ids.',
  sets: ['full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 35, full: 150 },
  goals: [
    { text: 'Kafka, 64 KiB batches, events/s', contender: 'batch', metric: 'rate', bar: 500_000, goal: 1_000_000 },
    { text: 'Kafka, each, vs the client used naively', contender: 'each', metric: 'rate', rival: 'each-naive', bar: 1.2, goal: 2 },
  ],
  contenders,
};
