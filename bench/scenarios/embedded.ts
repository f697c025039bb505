/** Ingest without a server: into the embedded store, every event flushed to disk before it counts. */
import type { Scenario } from '../harness/types.ts';
import { cpuPerMillion, loopP99, loopUtilization, mainBusy, rate } from './metrics.ts';

const all = { events: 1_000_000, warmUp: 150_000, duplicates: 0.02 };

export const embedded: Scenario = {
  name: 'embedded',
  title: 'Ingest: NDJSON file to the embedded store (LMDB)',
  about:
    'The same events as above into a local folder, after a warm-up into the same store. Timed until everything is flushed to disk. The rivals use the same `lmdb` package directly, with `put`s in flight, and end with `flushed`.',
  sets: ['quick', 'full'],
  metrics: [rate, cpuPerMillion, mainBusy, loopUtilization, loopP99],
  primary: 'rate',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 18, full: 90 },
  goals: [{ text: 'embedded ingest, flushed, events/s', contender: 'millrace', metric: 'rate', bar: 400_000, goal: 1_000_000 }],
  contenders: () => [
    {
      name: 'millrace',
      label: 'Millrace, 1 worker',
      runner: 'ours-ingest',
      params: { ...all, target: 'embedded', options: { workers: 1 }, ingest: { id: '/id' } },
    },
    {
      name: 'lmdb-batch',
      label: 'lmdb, one thread, arrays of 400',
      runner: 'lmdb-direct',
      roundsMax: 3,
      params: { ...all, events: 500_000, batch: 400 },
    },
    {
      name: 'lmdb-each',
      label: 'lmdb, one thread, one value per event',
      runner: 'lmdb-direct',
      roundsMax: 3,
      params: { ...all, events: 200_000, warmUp: 30_000, batch: 1 },
    },
  ],
};
