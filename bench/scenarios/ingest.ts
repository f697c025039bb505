/** The main job: a file of events to acknowledged messages in JetStream, against everything a user might write instead. */
import type { Contender, Params, Scenario, SetName } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, gcMax, loopP99, loopUtilization, mainBusy, rate } from './metrics.ts';

const DUPLICATES = 0.02;
const broker = 'jetstream' as const;
/** Rows that no bar compares with. */
const FEW_ROUNDS = 3;

interface Sizes {
  readonly fast: Params;
  readonly middle: Params;
  readonly slow: Params;
}

const sizes: Readonly<Record<SetName, Sizes>> = {
  quick: {
    fast: { events: 1_000_000, warmUp: 200_000, duplicates: DUPLICATES },
    middle: { events: 300_000, warmUp: 100_000, duplicates: DUPLICATES },
    slow: { events: 30_000, warmUp: 10_000, duplicates: DUPLICATES },
  },
  full: {
    fast: { events: 3_000_000, warmUp: 250_000, duplicates: DUPLICATES },
    middle: { events: 800_000, warmUp: 100_000, duplicates: DUPLICATES },
    slow: { events: 80_000, warmUp: 20_000, duplicates: DUPLICATES },
  },
};

const ours = (workers: number): Params => ({ options: { workers }, ingest: { id: '/id' } });

/** Those of the bars; the quick set plays no others. */
function compared({ fast, middle, slow }: Sizes): Contender[] {
  return [
    { name: 'millrace', label: 'Millrace, 2 workers', runner: 'ours-ingest', broker, params: { ...fast, ...ours(2) } },
    {
      name: 'millrace-1',
      label: 'Millrace, 1 worker (the default on two cores)',
      runner: 'ours-ingest',
      broker,
      params: { ...fast, ...ours(1) },
    },
    { name: 'node-batch', label: 'Node, one thread, arrays of 400 (client tuned)', runner: 'node-batch', broker, params: middle },
    { name: 'node-each', label: 'Node, one js.publish per event, client as it comes', runner: 'node-each', broker, params: slow },
    {
      name: 'node-each-tuned',
      label: 'Node, one js.publish per event, client with noAsyncTraces',
      runner: 'node-each',
      broker,
      params: { ...slow, events: (slow['events'] as number) * 2, tuned: true },
    },
    { name: 'go-batch', label: 'Go, arrays of 400', runner: 'go', broker, params: { ...middle, events: 500_000, mode: 'batch' } },
  ];
}

function others({ fast, middle }: Sizes): Contender[] {
  return [
    { name: 'millrace-0', label: 'Millrace, inline (0 workers)', runner: 'ours-ingest', broker, params: { ...fast, ...ours(0) } },
    {
      name: 'millrace-cold',
      label: 'Millrace, 2 workers, cold (no warm-up)',
      runner: 'ours-ingest',
      broker,
      params: { ...fast, ...ours(2), warmUp: 0 },
    },
    { name: 'clone', label: 'same stages, structured clone, js.publish', runner: 'piscina-clone', broker, params: middle },
    {
      name: 'go-each',
      label: 'Go, one PublishAsync per event',
      runner: 'go',
      broker,
      params: { ...middle, events: 200_000, mode: 'each' },
    },
    {
      name: 'nats-async',
      label: 'nats bench js pub async (no parsing, no ids; no warm-up)',
      runner: 'nats-bench',
      broker,
      params: { kind: 'async', events: 400_000, batch: 500 },
    },
    {
      name: 'premade',
      label: 'limit: 64 KiB batches made beforehand',
      runner: 'premade',
      broker,
      params: { events: 200_000, warmUpTimes: 3, times: 10 },
    },
    { name: 'dry-run', label: 'Millrace without a broker (dry run)', runner: 'ours-ingest', params: { ...fast, ...ours(2), dryRun: true } },
  ].map((contender) => ({ ...contender, roundsMax: FEW_ROUNDS }));
}

/** The third placement: our ceiling without the broker. */
function sink({ fast }: Sizes): Contender {
  return {
    name: 'sink',
    label: 'Millrace into a TCP sink that counts and acknowledges',
    runner: 'ours-ingest',
    broker: 'sink',
    roundsMax: FEW_ROUNDS,
    params: { ...fast, ...ours(2), sink: true },
  };
}

export const ingest: Scenario = {
  name: 'ingest',
  title: 'Ingest: NDJSON file to JetStream, file storage',
  about:
    'Events of 214 bytes, 2 % duplicates by `/id`, from a file to acknowledged messages in a stream with file storage and one replica; the broker runs on the same cores. ' +
    'Timed from the first read to the last ack, after a warm-up with other events in the same process and on the same connection until its rate was steady (Go: one part; `nats bench` has none). ' +
    'Each row of ours says how many workers it has: two are one for each core, as the Go programs use both; one is the default on two cores. ' +
    'All remove duplicates: Millrace and the batching rivals by id before publishing, the others by message id at the broker. Slow rivals get fewer events and are compared by rate.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, brokerCpuPerMillion, mainBusy, loopUtilization, loopP99, gcMax],
  primary: 'rate',
  rounds: { quick: 2, full: 7 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 45, full: 330 },
  goals: [
    {
      text: 'ingest vs one js.publish per event, client as it comes',
      contender: 'millrace',
      metric: 'rate',
      rival: 'node-each',
      bar: 60,
      goal: 150,
    },
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
  also: [
    { text: 'ingest with one worker, events/s', contender: 'millrace-1', metric: 'rate' },
    {
      text: 'ingest with one worker vs one js.publish per event, client as it comes',
      contender: 'millrace-1',
      metric: 'rate',
      rival: 'node-each',
    },
    { text: 'event loop delay p99 while ingesting flat out with one worker, ms', contender: 'millrace-1', metric: 'loopP99Ms' },
    {
      text: 'ingest vs one js.publish per event, client with noAsyncTraces',
      contender: 'millrace',
      metric: 'rate',
      rival: 'node-each-tuned',
    },
  ],
  contenders: (set) => [...compared(sizes[set]), ...(set === 'full' ? others(sizes[set]) : []), sink(sizes[set])],
};

const SPLIT = ['millrace', 'millrace-0', 'node-batch', 'node-each', 'go-batch'];

/** The first placement: our own efficiency, with a core to ourselves and one for the broker. Few rows, read by their CPU seconds. */
export const ingestSplit: Scenario = {
  ...ingest,
  goals: [],
  also: [],
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 30, full: 75 },
  contenders: (set) => ingest.contenders(set).filter(({ name }) => SPLIT.includes(name)),
};
