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
  const ms = set === 'quick' ? 150 : 400;
  return Object.entries(groups).flatMap(([group, rows]) =>
    rows.map(([task, label, params = {}]): Contender => {
      return {
        name: `${group}: ${task}`,
        label: `${group}: ${label}`,
        group,
        runner: 'micro',
        params: { task, ms, ...params },
      };
    }),
  );
}

export const micro: Scenario = {
  name: 'micro',
  title: 'Micro benches (tinybench), one event or one step',
  about: 'Each in a process of its own; events of 214 bytes.',
  sets: ['full'],
  metrics: [{ key: 'nsPerOp', label: 'time', unit: 'ns', better: 'lower' }],
  primary: 'nsPerOp',
  rounds: { quick: 1, full: 3 },
  dropped: { quick: 0, full: 0 },
  seconds: { quick: 20, full: 80 },
  goals: [],
  contenders,
};
