/** As many subjects as a batch has no company for: what a message costs then, beside `framing: each`. */
import type { Contender, Params, Scenario } from '../harness/types.ts';
import { brokerCpuPerMillion, cpuPerMillion, rate } from './metrics.ts';

const SUBJECTS = 100_000;

function contender(name: string, label: string, params: Params): Contender {
  return {
    name,
    label,
    runner: 'ours-ingest',
    broker: 'jetstream',
    params: { events: 300_000, warmUp: 40_000, options: { workers: 1 }, ...params },
  };
}

export const subjects: Scenario = {
  name: 'subjects',
  title: 'A hundred thousand subjects',
  about:
    'A batch is per subject, so with many subjects it tends to one event. All rows have ids by `/id` and 300,000 events; time and CPU are per message, and a message per event is nearly what both framings end with.',
  sets: ['full'],
  metrics: [
    { key: 'nsPerMessage', label: 'time', unit: 'ns/message', better: 'lower', digits: 0 },
    { key: 'cpuMicrosPerMessage', label: 'CPU', unit: 'µs/message', better: 'lower', digits: 2 },
    { key: 'messages', label: 'messages', unit: '', better: 'lower', digits: 0 },
    rate,
    cpuPerMillion,
    brokerCpuPerMillion,
  ],
  primary: 'nsPerMessage',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 1 },
  seconds: { quick: 30, full: 90 },
  goals: [
    {
      text: '10^5 subjects, time of a message, over that of `framing: each`',
      contender: 'batch',
      rival: 'each',
      metric: 'nsPerMessage',
      cost: true,
      bar: 1.5,
      goal: 1.1,
    },
    {
      text: '10^5 subjects, CPU of a message, over that of `framing: each`',
      contender: 'batch',
      rival: 'each',
      metric: 'cpuMicrosPerMessage',
      cost: true,
      bar: 1.5,
      goal: 1.1,
    },
  ],
  contenders: () => [
    contender('batch', 'Millrace, batch, 100,000 subjects', { subjects: SUBJECTS, ingest: { id: '/id', subject: 'bench.{s}' } }),
    contender('each', 'Millrace, each, 100,000 subjects', {
      subjects: SUBJECTS,
      ingest: { id: '/id', subject: 'bench.{s}', framing: 'each' },
    }),
    contender('each-one', 'Millrace, each, one subject', { ingest: { id: '/id', framing: 'each' } }),
  ],
};
