/** The drawn memory: no two regions share a byte, and no two writers share a pair of cache lines. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HeaderWord } from '../../../src/memory/header-page.ts';
import {
  BATCH_WORDS,
  CLAIM_WORDS,
  drawLayout,
  PIPELINE_BYTES,
  PIPELINES_MAX,
  REJECT_WORDS,
  scratchStart,
  SLAB_HEADER_BYTES,
  slabShape,
  slabStart,
  SlabWord,
  TENTATIVE_WORDS,
} from '../../../src/memory/layout.ts';
import type { Layout, LayoutRequest, SlabShape } from '../../../src/memory/layout.ts';
import { windowBytes } from '../../../src/memory/window.ts';
import { WindowWord } from '../../../src/memory/window-table.ts';

const LINE = 128;
const MIB = 1_024 * 1_024;
type Region = readonly [name: string, start: number, end: number];
const LayoutSuite = suite('layout');

const requests: { readonly name: string; readonly request: LayoutRequest }[] = [
  { name: 'the smallest', request: { slabs: 2, slabBytes: 4_096, workers: 0, eventBytesMax: 1_024, windowBytes: windowBytes(16) } },
  {
    name: 'the defaults',
    request: { slabs: 16, slabBytes: 256 * 1_024, workers: 2, eventBytesMax: 8 * MIB, windowBytes: windowBytes(4_194_304) },
  },
  { name: 'odd sizes', request: { slabs: 3, slabBytes: 5 * 1_024, workers: 7, eventBytesMax: 123_457, windowBytes: windowBytes(12_345) } },
  {
    name: 'many slabs and workers',
    request: { slabs: 64, slabBytes: MIB, workers: 32, eventBytesMax: 2 * MIB, windowBytes: windowBytes(1_000_000) },
  },
  { name: 'no window', request: { slabs: 4, slabBytes: 64 * 1_024, workers: 1, eventBytesMax: 64 * 1_024, windowBytes: 0 } },
];

function regions(layout: Layout): Region[] {
  const all: Region[] = [
    ['page 0', 0, 65_536],
    ['header', layout.headerStart, layout.headerStart + 65_536],
    ['pipelines', layout.pipelinesStart, layout.pipelinesStart + PIPELINES_MAX * PIPELINE_BYTES],
    ['window', layout.windowStart, layout.windowStart + layout.windowBytes],
  ];
  for (let slot = 0; slot < layout.workerSlots; slot += 1)
    all.push([`scratch ${slot}`, scratchStart(layout, slot), scratchStart(layout, slot) + layout.scratchBytes]);
  for (let slab = 0; slab <= layout.slabs; slab += 1)
    all.push([`slab ${slab}`, slabStart(layout, slab), slabStart(layout, slab) + slabShape(layout, slab).bytes]);
  return all;
}

function tables(shape: SlabShape): Region[] {
  const rows = (name: string, start: number, words: number): Region => [name, start, start + shape.recordsMax * words * 4];
  return [
    ['header', 0, SLAB_HEADER_BYTES],
    ['in', shape.inStart, shape.inStart + shape.inBytes],
    ['out', shape.outStart, shape.outStart + shape.outBytes],
    rows('batches', shape.batchStart, BATCH_WORDS),
    rows('rejects', shape.rejectStart, REJECT_WORDS),
    ['claims', shape.claimStart, shape.claimStart + (shape.recordsMax + 1) * CLAIM_WORDS * 4], // One row more: NO_SLOT after the last.
    rows('tentatives', shape.tentativeStart, TENTATIVE_WORDS),
    rows('records', shape.recordStart, 1),
    ['text', shape.textStart, shape.textStart + shape.textBytes],
  ];
}

function assertApart(all: readonly Region[], end: number): void {
  const sorted = all.filter(([, start, stop]) => stop > start).toSorted((left, right) => left[1] - right[1]);
  for (const [index, [name, start, stop]] of sorted.entries()) {
    assert.is(start % LINE, 0, `${name} begins on a line`);
    const next = sorted[index + 1];
    assert.ok(stop <= (next?.[1] ?? end), `${name} ends at ${stop}, before ${next?.[0] ?? 'the end'} at ${next?.[1] ?? end}`);
  }
}

for (const { name, request } of requests) {
  LayoutSuite(`keeps the regions of ${name} apart`, () => {
    const layout = drawLayout(request);
    assert.is(layout.bytes % 65_536, 0);
    assertApart(regions(layout), layout.bytes);
  });
  LayoutSuite(`keeps the tables of a slab of ${name} apart`, () => {
    const layout = drawLayout(request);
    for (const shape of [layout.slab, layout.jumbo]) assertApart(tables(shape), shape.bytes);
    assert.ok(layout.jumbo.inBytes >= request.eventBytesMax, 'the jumbo slab takes the greatest event');
    assert.ok(layout.scratchBytes >= layout.jumbo.outBytes, 'scratch takes the greatest result');
  });
}

const writers: { readonly name: string; readonly groups: readonly (readonly number[])[] }[] = [
  {
    name: 'the slab header',
    groups: [
      [SlabWord.state],
      [SlabWord.epoch, SlabWord.messageBytesMax],
      [SlabWord.suspect, SlabWord.heartbeat],
      [SlabWord.inDone, SlabWord.stopped],
    ],
  },
  {
    name: 'the header page',
    groups: [
      [HeaderWord.magic, HeaderWord.version],
      [HeaderWord.settled],
      [HeaderWord.workerSlots],
      [HeaderWord.queueTail],
      [HeaderWord.queueHead],
      [HeaderWord.queueBell],
      [HeaderWord.queueRound],
      [HeaderWord.queue],
    ],
  },
  {
    name: 'the window header',
    groups: [
      [WindowWord.magic, WindowWord.key + 3],
      [WindowWord.generation],
      [WindowWord.takenEven],
      [WindowWord.takenOdd],
      [WindowWord.full],
      [WindowWord.unclaimed],
      [WindowWord.insertLog],
    ],
  },
];
for (const { name, groups } of writers)
  LayoutSuite(`keeps the writers of ${name} 128 bytes apart`, () => {
    for (const [index, group] of groups.entries()) {
      const before = groups[index - 1];
      if (before !== undefined) assert.ok(Math.floor(Math.min(...group) / 32) > Math.floor(Math.max(...before) / 32), `group ${index}`);
    }
  });

LayoutSuite('gives every word of a slab header a place of its own inside it', () => {
  const words = Object.values(SlabWord);
  assert.is(new Set(words).size, words.length);
  assert.ok(Math.max(...words) * 4 < SLAB_HEADER_BYTES);
});

LayoutSuite('refuses what a memory cannot hold', () => {
  const request = requests[1]!.request;
  assert.throws(() => drawLayout({ ...request, slabs: 1 }), /ring size/);
  assert.throws(() => drawLayout({ ...request, slabBytes: 5_000 }), /ring size/);
  assert.throws(() => drawLayout({ ...request, windowBytes: 4 * 1_024 * MIB }), /memory size/);
});

LayoutSuite('needs at most 32 bytes an id', () => {
  for (const capacity of [1_024, 12_345, 1_000_000, 4_194_304, 100_000_000])
    assert.ok(windowBytes(capacity) / capacity <= 32, `${capacity}`);
});

LayoutSuite.run();
