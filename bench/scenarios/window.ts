/** The dedupe window alone: nanoseconds per look-up as it grows, and with ids that an adversary chose. */
import type { Contender, Scenario, SetName } from '../harness/types.ts';

const COUNTS: Readonly<Record<SetName, readonly number[]>> = { quick: [1_000_000], full: [10_000, 100_000, 1_000_000, 10_000_000] };

function contenders(set: SetName): readonly Contender[] {
  const ms = set === 'quick' ? 200 : 500;
  return COUNTS[set].flatMap((ids) => {
    const group = `${ids.toLocaleString('en-US')} ids`;
    const one = (task: string, label: string, params = {}): Contender => ({
      name: `${ids}: ${task}`,
      label: `${group}: ${label}`,
      group,
      runner: 'micro',
      params: { task: task === 'adversarial' ? 'window' : task, ms, ids, ...params },
      nodeFlags: ['--max-old-space-size=8192'],
    });
    const large = ids >= 1_000_000;
    return [
      one('window', 'dedupe window, random ids'),
      ...(large ? [one('adversarial', 'dedupe window, ids chosen to fall together', { adversarial: true })] : []),
      ...(large ? [one('set', 'Set of strings, the look-up alone')] : []),
      ...(ids === 1_000_000 ? [one('window-none', 'the same events without ids: no look-up, but a batch')] : []),
    ];
  });
}

export const window: Scenario = {
  name: 'window',
  title: 'The dedupe window',
  about:
    'On the way that events take: a worker’s stages, by the kernel, on events of about 100 bytes whose ids are all known, in an order no cache foresees; so the first figure holds splitting, parsing, hashing and look-up; the second is what it has more than the same events without ids, which have no hash and no look-up and do go into a batch. The adversary’s ids agree in their last four hash bits, as far as anybody without the window’s secret key can tell; they share their first characters.',
  sets: ['full'],
  metrics: [
    { key: 'nsPerOp', label: 'event', unit: 'ns', better: 'lower' },
    { key: 'addedNs', label: 'look-up adds', unit: 'ns', better: 'lower', digits: 0 },
    { key: 'bytesPerId', label: 'memory', unit: 'B/id', better: 'lower', digits: 1 },
  ],
  primary: 'nsPerOp',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 8, full: 150 },
  goals: [
    { text: 'dedupe window, bytes per id', contender: '1000000: window', metric: 'bytesPerId', bar: 32, goal: 24 },
    {
      text: 'dedupe window, ns that a look-up adds to an event, 10 M ids',
      contender: '10000000: window',
      metric: 'addedNs',
      bar: 150,
      goal: 60,
    },
    {
      text: 'dedupe window, adversarial ids over random ones, 1 M ids',
      contender: '1000000: adversarial',
      rival: '1000000: window',
      metric: 'nsPerOp',
      cost: true,
      bar: 2,
      goal: 1.1,
    },
    {
      text: 'dedupe window, adversarial ids over random ones, 10 M ids',
      contender: '10000000: adversarial',
      rival: '10000000: window',
      metric: 'nsPerOp',
      cost: true,
      bar: 2,
      goal: 1.1,
    },
  ],
  contenders,
};
