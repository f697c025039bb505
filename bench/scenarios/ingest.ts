/** The main job: a file of events to acknowledged messages in JetStream, against everything a user might write instead. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, loopP99, loopUtilization, mainBusy, rate } from './metrics.ts';

const EVENTS = 1_000_000;
const SLOW_EVENTS: Readonly<Record<SetName, number>> = { quick: 50_000, full: 200_000 };
const DUPLICATES = 0.02;

function contenders(set: SetName): readonly Contender[] {
  const all = { events: EVENTS, duplicates: DUPLICATES };
  const few = { events: SLOW_EVENTS[set], duplicates: DUPLICATES };
  const broker = 'jetstream' as const;
  return [
    {
      name: 'millrace',
      label: 'Millrace, 1 worker',
      runner: 'ours-ingest',
      broker,
      params: { ...all, options: { workers: 1 }, ingest: { id: '/id' } },
    },
    {
      name: 'millrace-2',
      label: 'Millrace, 2 workers',
      runner: 'ours-ingest',
      broker,
      params: { ...all, options: { workers: 2 }, ingest: { id: '/id' } },
    },
    {
      name: 'millrace-0',
      label: 'Millrace, inline (0 workers)',
      runner: 'ours-ingest',
      broker,
      params: { ...all, options: { workers: 0 }, ingest: { id: '/id' } },
    },
    { name: 'clone', label: 'same stages, structured clone, js.publish', runner: 'piscina-clone', broker, params: all },
    { name: 'node-batch', label: 'Node, one thread, arrays of 400', runner: 'node-batch', broker, params: all },
    { name: 'node-each', label: 'Node, one js.publish per event', runner: 'node-each', broker, params: few },
    { name: 'go-batch', label: 'Go, arrays of 400', runner: 'go', broker, params: { ...all, mode: 'batch' } },
    { name: 'go-each', label: 'Go, one PublishAsync per event', runner: 'go', broker, params: { ...few, mode: 'each' } },
    {
      name: 'nats-async',
      label: 'nats bench js pub async (no parsing, no ids)',
      runner: 'nats-bench',
      broker,
      params: { kind: 'async', events: 200_000, batch: 500 },
    },
    {
      name: 'premade',
      label: 'limit: 64 KiB batches made beforehand',
      runner: 'premade',
      broker,
      params: { events: EVENTS, duplicates: 0 },
    },
    {
      name: 'dry-run',
      label: 'Millrace without a broker (dry run)',
      runner: 'ours-ingest',
      params: { ...all, dryRun: true, options: { workers: 1 }, ingest: { id: '/id' } },
    },
  ];
}

export const ingest: Scenario = {
  name: 'ingest',
  title: 'Ingest: NDJSON file to JetStream, file storage',
  about:
    'Events of 214 bytes, 2 % duplicates by `/id`, from a file to acknowledged messages in a stream with file storage and one replica; the broker runs on the same cores. ' +
    'Timed from the first read to the last ack. All remove duplicates: Millrace and the batching rivals by id before publishing, the others by message id at the broker. Slow rivals get fewer events and are compared by rate.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, mainBusy, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 3, full: 7 },
  dropped: { quick: 0, full: 1 },
  goals: [
    { text: 'ingest vs one js.publish per event', contender: 'millrace', metric: 'rate', rival: 'node-each', bar: 60, goal: 150 },
    {
      text: 'ingest vs the best single-thread batching in Node',
      contender: 'millrace',
      metric: 'rate',
      rival: 'node-batch',
      bar: 4.5,
      goal: 10,
    },
    { text: 'ingest vs Go batching', contender: 'millrace', metric: 'rate', rival: 'go-batch', bar: 7, goal: 17 },
    { text: 'ingest, events/s', contender: 'millrace', metric: 'rate', bar: 1_300_000, goal: 3_000_000 },
    { text: 'event loop delay p99 while ingesting flat out, ms', contender: 'millrace', metric: 'loopP99Ms', bar: 6, goal: 2 },
    { text: 'event loop utilization while ingesting flat out', contender: 'millrace', metric: 'loopUtilization', bar: 0.6, goal: 0.3 },
  ],
  contenders,
};
