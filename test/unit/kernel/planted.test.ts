/** A kernel with one wrong constant is refused by its self-check, or by the comparison that the other tests of this folder make. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VALUES } from './json-texts.ts';
import { kernelModule, KernelRig } from './kernel-rig.ts';
import { DESCRIPTION, RunnerRig } from './runner-rig.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { Kernel } from '../../../workers/kernel-host.ts';

const PlantedSuite = suite('Kernel: planted faults');

/** Constants as instructions (`i32.const`, `i64.const`), with what they mean. */
const PLANTS: readonly (readonly [name: string, code: readonly number[]])[] = [
  ['head of uint8', [0x41, 0xcc, 0x01]],
  ['head of uint16', [0x41, 0xcd, 0x01]],
  ['head of uint32', [0x41, 0xce, 0x01]],
  ['head of int8', [0x41, 0xd0, 0x01]],
  ['head of int16', [0x41, 0xd1, 0x01]],
  ['head of int32', [0x41, 0xd2, 0x01]],
  ['head of int64', [0x41, 0xd3, 0x01]],
  ['head of float64', [0x41, 0xcb, 0x01]],
  ['nil', [0x41, 0xc0, 0x01]],
  ['false', [0x41, 0xc2, 0x01]],
  ['true', [0x41, 0xc3, 0x01]],
  ['head of str8', [0x41, 0xd9, 0x01]],
  ['head of str16', [0x41, 0xda, 0x01]],
  ['head of str32', [0x41, 0xdb, 0x01]],
  ['head of array16', [0x41, 0xdc, 0x01]],
  ['head of map16', [0x41, 0xde, 0x01]],
  ['width of a fixstr', [0x41, 0xa0, 0x01]],
  ['SipHash for 128 bits', [0x42, 0xee, 0x01]],
];

const TEXT = Buffer.from(
  [
    '{"id":"a-1","x":{"y":"text"}}',
    ...VALUES.map((value) => `{"id":"i","x":{"y":${value}},"z":[${value}]}`),
    ...['\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'].map((letter) => `{"id":"${letter}"}`),
    ...[5, 200, 300, 70_000, 5e9, -5, -100, -300, -70_000, -5e9].map((id) => `{"id":${id}}`),
    '{"id":"\\u0080\\u0100\\u0800\\ud800\\udc00"}',
    ...[40, 300, 70_000].map((length) => `{"id":"${'s'.repeat(length)}é"}`),
    ...[20, 40, 300, 70_000].map((length) => `{"id":"${'s'.repeat(length)}","${'k'.repeat(Math.min(length, 40))}":1}`),
    `{"id":"é","l":[${'0,'.repeat(20)}0],"m":{${Array.from({ length: 20 }, (_, index) => `"k${index}":${index}`).join(',')}},"x":{"y":1}}`,
  ].join('\n'),
);

function places(code: readonly number[]): readonly number[] {
  const found: number[] = [];
  for (
    let at = Buffer.from(kernelModule).indexOf(Buffer.from(code));
    at >= 0;
    at = Buffer.from(kernelModule).indexOf(Buffer.from(code), at + 1)
  )
    found.push(at);
  return found;
}

/** How many records it takes, and how many ids it hashes: a fault that only makes it refuse more is seen, too. */
function taken(module: Uint8Array): string {
  const rig = new KernelRig({ module });
  const counts: number[] = [];
  for (const paths of [[], [['id'], ['x', 'y'], ['k'.repeat(40)]]]) {
    rig.aim(paths);
    counts.push(rig.take(TEXT), rig.take(TEXT));
  }
  return `${counts.join()} records, ${rig.identified} ids, ${JSON.stringify(new RunnerRig(module).run({ ...DESCRIPTION, batchEvents: 50 }, SLABS))}`;
}

function survives(module: Uint8Array): boolean {
  try {
    return taken(module) === sound;
  } catch {
    return false;
  }
}

/** Ids that are new, that are known, and that are so many that they are not at home in their block of the window; as without a kernel. */
const SLABS = [0, 1, 2].map((part) => ({
  text: Array.from({ length: 900 }, (_, index) => `{"id":"${index + part * 700}","n":${index}}\n`).join(''),
  settle: true,
}));

const sound = taken(kernelModule);

PlantedSuite('the kernel as built survives', () => {
  assert.ok(survives(kernelModule));
  const without = JSON.stringify(new RunnerRig(null).run({ ...DESCRIPTION, batchEvents: 50 }, SLABS));
  assert.ok(sound.endsWith(without), 'with the kernel as without');
});

for (const [name, code] of PLANTS)
  PlantedSuite(`${name} off by one`, () => {
    const found = places(code);
    assert.ok(found.length > 0, 'no such constant: the compiler has changed, change the plant');
    for (const at of found) {
      const module = Uint8Array.from(kernelModule);
      module[at + 1]! ^= 1;
      assert.not.ok(survives(module), `at ${at}`);
    }
  });

PlantedSuite('a kernel that is none, or fails its self-check, is not used', () => {
  const ring = Ring.create({ slabs: 2, slabBytes: 65_536, workers: 1, eventBytesMax: 65_536, windowBytes: 0 });
  const wrong = Uint8Array.from(kernelModule);
  for (const at of places([0x41, 0xc3, 0x01])) wrong[at + 1] = 0xc2; // `true` becomes false.
  assert.is(Kernel.load(ring, 0, wrong), null);
  assert.is(Kernel.load(ring, 0, new Uint8Array(0)), null);
  assert.is(Kernel.load(ring, 0, kernelModule.subarray(0, 500)), null);
  assert.is(Kernel.load(ring, 0, null), null);
  assert.ok(Kernel.load(ring, 0, kernelModule) !== null);
});

PlantedSuite.run();
