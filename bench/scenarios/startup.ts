/** The first ack of a fresh process. */
import type { Scenario } from '../harness/types.ts';

const broker = 'jetstream' as const;

export const startup: Scenario = {
  name: 'startup',
  title: 'Import, connect, make the stream, first ack',
  about: 'A fresh process each time, nothing loaded before. Node’s own start is not counted.',
  sets: ['full'],
  metrics: [{ key: 'firstAckMs', label: 'first ack', unit: 'ms', better: 'lower', digits: 0 }],
  primary: 'firstAckMs',
  rounds: { quick: 3, full: 15 },
  dropped: { quick: 1, full: 1 },
  seconds: { quick: 9, full: 35 },
  goals: [{ text: 'import + connect + first ack, ms', contender: 'millrace', metric: 'firstAckMs', bar: 250, goal: 120 }],
  contenders: () => [
    { name: 'millrace', label: 'Millrace', runner: 'ours-startup', broker, params: { system: 'millrace' } },
    { name: 'client', label: 'nats.js + msgpackr', runner: 'ours-startup', broker, params: { system: 'client' } },
  ],
};
