/** The small parts alone, each beside what a user would take instead. */
import type { Contender, Json, Scenario, SetName } from '../harness/types.ts';

type Row = readonly [task: string, label: string, params?: Readonly<Record<string, Json>>];

const groups: Readonly<Record<string, readonly Row[]>> = {
  transcode: [
    ['transcoder', 'JSON → msgpack, TypeScript transcoder'],
    ['parse-pack', 'JSON.parse + msgpackr'],
  ],
  stages: [
    ['stages-kernel', 'all worker stages, SIMD kernel'],
    ['stages-typescript', 'all worker stages, TypeScript'],
    ['parse-pack-arrays', 'split + JSON.parse + msgpackr, arrays of 400'],
  ],
  split: [
    ['splitter', 'NDJSON splitter on bytes'],
    ['split-text', 'toString + split'],
  ],
  pack: [
    ['pack-ours', 'packEvent (exact)'],
    ['pack-msgpackr', 'msgpackr pack'],
    ['pack-json', 'JSON.stringify'],
  ],
  unpack: [
    ['unpack-ours', 'unpackValue (checked), array of 1,000'],
    ['unpack-msgpackr', 'msgpackr unpack'],
  ],
  hash: [
    ['hash-ours', 'SipHash-128 of a 12-byte id'],
    ['hash-node', 'node:crypto md5'],
  ],
  'window 1 M': [
    ['window', 'dedupe window, 1 M ids', { ids: 1_000_000 }],
    ['set', 'Set of strings, 1 M ids', { ids: 1_000_000 }],
  ],
  'window 10 M': [
    ['window', 'dedupe window, 10 M ids', { ids: 10_000_000 }],
    ['set', 'Set of strings, 10 M ids', { ids: 10_000_000 }],
  ],
  hand: [
    ['ring', 'slab through all states'],
    ['clone', 'structuredClone of 256 KiB'],
  ],
  'copy 200 B': [
    ['copy-ours', 'copy 200 B, memory.copy'],
    ['copy-within', 'copyWithin'],
    ['copy-set', 'set(subarray)'],
  ],
  'copy 256 KiB': [
    ['copy-ours', 'copy 256 KiB, memory.copy', { bytes: 262_144 }],
    ['copy-within', 'copyWithin', { bytes: 262_144 }],
    ['copy-set', 'set(subarray)', { bytes: 262_144 }],
  ],
};

function contenders(set: SetName): readonly Contender[] {
  const ms = set === 'quick' ? 200 : 1_000;
  return Object.entries(groups)
    .filter(([group]) => set === 'full' || group !== 'window 10 M')
    .flatMap(([group, rows]) =>
      rows.map(([task, label, params = {}]): Contender => {
        return {
          name: `${group}: ${task}`,
          label: `${group}: ${label}`,
          group,
          runner: 'micro',
          params: { task, ms, ...params },
          nodeFlags: ['--max-old-space-size=8192'],
        };
      }),
    );
}

export const micro: Scenario = {
  name: 'micro',
  title: 'Micro benches (tinybench), one event or one step',
  about:
    'Each in a process of its own; events of 214 bytes. The window is looked up with ids that it knows, in an order no cache foresees, from the id’s bytes to the answer.',
  sets: ['quick', 'full'],
  metrics: [
    { key: 'nsPerOp', label: 'time', unit: 'ns', better: 'lower' },
    { key: 'bytesPerId', label: 'memory', unit: 'B/id', better: 'lower', digits: 1 },
  ],
  primary: 'nsPerOp',
  rounds: { quick: 1, full: 5 },
  dropped: { quick: 0, full: 0 },
  goals: [
    { text: 'dedupe window, bytes per id', contender: 'window 1 M: window', metric: 'bytesPerId', bar: 32, goal: 24 },
    { text: 'dedupe window, ns per lookup at 10 M ids', contender: 'window 10 M: window', metric: 'nsPerOp', bar: 150, goal: 60 },
  ],
  contenders,
};
