/** Draws the one shared memory: every region, every table and every word, so that two threads can never disagree. */
import { strict as assert } from 'node:assert';
import { EVENT_WORDS } from './event-table.ts';

const KIB = 1_024;
const PAGE = 64 * KIB; // A WebAssembly page; the ring lives in a shared WebAssembly.Memory.
const LINE = 128; // Words written by different threads sit this far apart (two cache lines: the prefetcher pulls pairs).

export const KERNEL_BYTES: number = 3 * PAGE;
export const PIPELINES_MAX = 64;
/** Bytes of an event id as text; longer ones are rejects. */
export const ID_TEXT_BYTES_MAX = 256;
export const PIPELINE_BYTES: number = 16 * KIB;
/** Stretches of sources that were stored before this process: some 350,000. */
export const STORED_RANGES_BYTES: number = 8 * 1_024 * KIB;
export const MEMORY_BYTES_MAX: number = 4 * 1_024 * 1_024 * KIB - PAGE; // Limit of a 32-bit WebAssembly memory.

/** Words of a slab's header, as Int32 indexes from its start. Each group has one writer. */
export const SlabWord = {
  /** Both threads, by compare-and-exchange only: the state, and while a worker is at it, above these bits, the id of its thread. */
  state: 0,
  // Main writes these before dispatch; a worker only reads them.
  epoch: 32,
  sequence: 33,
  form: 34,
  inBytes: 35,
  /** Byte of the in area where this run begins (0, or where the last run stopped). */
  inFrom: 36,
  /** Records already done by earlier runs of this epoch. */
  recordFrom: 37,
  pipeline: 38,
  pipelineVersion: 39,
  /** Offset in the source of the in area's byte 0, low and high 32 bits. */
  offsetLow: 40,
  offsetHigh: 41,
  /** Records to do in this run at most, 0 = all: a run stops before a suspect, and a suspect runs alone. */
  recordsLimit: 42,
  /** Number of this run within the epoch; part of message ids made without event ids. */
  run: 43,
  /** 1 = run only the records listed in the tentative table of the last run. */
  retake: 44,
  /** Largest payload of one batch, headers included. */
  messageBytesMax: 45,
  // The worker writes these while it runs; main reads them when it looks after the worker.
  /** Record that user code is at work on, -1 = none; its start and the start of the next, as offsets in the in area. */
  suspect: 64,
  suspectStart: 65,
  suspectNext: 66,
  heartbeat: 67,
  // The worker writes these before `ready`; main reads them after.
  inDone: 96,
  recordsDone: 97,
  lines: 98,
  batches: 99,
  rejects: 100,
  outBytes: 101,
  /** Events made: those in batches. Records dropped by a transform. Known duplicates. Copies of pending claims. */
  events: 102,
  dropped: 103,
  duplicates: 104,
  tentatives: 105,
  conflicts: 106,
  /** Greatest sequence that a tentative copy waits for; valid when tentatives > 0. */
  waitsFor: 107,
  claims: 108,
  /** 1 = the run stopped because a table or the out area was full, not at the end of the in area. */
  stopped: 109,
  /** Rows of the tentative table that a retake has taken: those after them did not fit. */
  retaken: 110,
} as const;

export const SLAB_HEADER_BYTES: number = 1 * KIB;

/** Words of one row of the batch table. */
export const BatchWord = {
  subjectStart: 0,
  subjectBytes: 1,
  start: 2,
  payloadStart: 3,
  end: 4,
  count: 5,
  firstRecord: 6,
  lastRecord: 7,
  /** Free bytes before `start`; then two after `end` are free as well. A broker's frame is written around the message where it lies. */
  lead: 8,
} as const;
export const BATCH_WORDS = 9;
/** So many, for batches of this size and more: the frame of a smaller one is copied with it. */
export const LEAD_BYTES = 256;
export const TRAIL_BYTES = 2;
export const LED_BYTES_MIN: number = 16 * KIB;

/** Words of one row of the reject table: record index, its bytes in the in area, line within the run, reason, position, text. */
export const RejectWord = { record: 0, start: 1, end: 2, line: 3, reason: 4, at: 5, textStart: 6, textBytes: 7 } as const;
export const REJECT_WORDS = 8;

/** A row of the claim log: slot in the window, batch of this slab that holds the event. */
export const CLAIM_WORDS = 2;
/** A row of the tentative table: record, its start and end (absolute), which of its events (0 unless a transform split it), owner's sequence. */
export const TENTATIVE_WORDS = 5;
/** What became of a record, in the record table: its batch from 0, or one of these, or RECORD_REJECT - reject row. */
export const RECORD_DROPPED: number = -1;
export const RECORD_DUPLICATE: number = -2;
export const RECORD_TENTATIVE: number = -3;
export const RECORD_REJECT: number = -16;

export const SlabForm = { bytes: 0, frames: 1 } as const;

/** `free → filling → working → ready → inFlight → free`; `waiting` is filling that is over and not yet taken by a worker. */
export const STATE_BITS = 8;
export const SlabState = { free: 0, filling: 1, waiting: 2, working: 3, ready: 4, inFlight: 5 } as const;

/** Offsets of a slab's parts from its start, in bytes, and how many rows its tables have. */
export interface SlabShape {
  readonly bytes: number;
  readonly inStart: number;
  readonly inBytes: number;
  readonly outStart: number;
  readonly outBytes: number;
  readonly batchStart: number;
  readonly rejectStart: number;
  readonly claimStart: number;
  readonly tentativeStart: number;
  /** What became of each record (frames form only): see RECORD_…. */
  readonly recordStart: number;
  readonly textStart: number;
  readonly textBytes: number;
  readonly recordsMax: number;
}

/** Absolute byte offsets of every region; plain numbers, so it travels to workers as it is. */
export interface Layout {
  readonly bytes: number;
  readonly headerStart: number;
  readonly pipelinesStart: number;
  readonly workerSlots: number;
  readonly scratchStart: number;
  readonly scratchBytes: number;
  /** Parts of a scratch, from its start: encoded events, texts of ids, the event table. */
  readonly idStart: number;
  readonly eventStart: number;
  /** State of the WebAssembly kernel, and its rows. */
  readonly kernelStart: number;
  readonly slabsStart: number;
  /** Slabs of the ring; the jumbo slab comes after them with index `slabs`. */
  readonly slabs: number;
  readonly slab: SlabShape;
  readonly jumbo: SlabShape;
  readonly windowStart: number;
  readonly windowBytes: number;
  readonly storedRangesStart: number;
}

export interface LayoutRequest {
  readonly slabs: number;
  readonly slabBytes: number;
  readonly workers: number;
  readonly eventBytesMax: number;
  /** Bytes of the dedupe window (memory/window.ts says how many it needs). Untouched pages cost no memory. */
  readonly windowBytes: number;
}

/** Pages that nobody touches are never resident, so the jumbo slab and the window cost nothing until first used. */
export function drawLayout({ slabs, slabBytes, workers, eventBytesMax, windowBytes }: LayoutRequest): Layout {
  assert(slabs >= 2 && slabBytes >= 4 * KIB && slabBytes % KIB === 0, 'ring size');
  const slab = drawSlab(slabBytes, Math.max(4 * KIB, slabBytes >> 4));
  const jumbo = drawSlab(roundUp(eventBytesMax + 64 * KIB, PAGE), 4 * KIB);
  const headerStart = PAGE; // Page 0 is left to WebAssembly's own data, and so that offset 0 never means a region.
  const pipelinesStart = headerStart + PAGE;
  const workerSlots = workers + 1; // The main thread has one, for inline runs.
  const scratchStart = pipelinesStart + PIPELINES_MAX * PIPELINE_BYTES;
  const recordsMax = Math.max(slab.recordsMax, jumbo.recordsMax);
  const idStart = roundUp(jumbo.outBytes, PAGE);
  const eventStart = roundUp(idStart + ID_TEXT_BYTES_MAX * recordsMax, PAGE);
  const kernelStart = roundUp(eventStart + EVENT_WORDS * 4 * recordsMax, PAGE);
  const scratchBytes = kernelStart + KERNEL_BYTES;
  const slabsStart = scratchStart + workerSlots * scratchBytes;
  const jumboStart = slabsStart + slabs * slab.bytes;
  const windowStart = jumboStart + jumbo.bytes;
  const storedRangesStart = roundUp(windowStart + windowBytes, LINE);
  const bytes = roundUp(storedRangesStart + STORED_RANGES_BYTES, PAGE);
  assert(bytes <= MEMORY_BYTES_MAX, 'memory size');
  return {
    bytes,
    headerStart,
    pipelinesStart,
    workerSlots,
    scratchStart,
    scratchBytes,
    idStart,
    eventStart,
    kernelStart,
    slabsStart,
    slabs,
    slab,
    jumbo,
    windowStart,
    windowBytes,
    storedRangesStart,
  };
}

/** Start of slab `index`; index `layout.slabs` is the jumbo slab. */
export function slabStart(layout: Layout, index: number): number {
  return layout.slabsStart + index * layout.slab.bytes;
}

export function slabShape(layout: Layout, index: number): SlabShape {
  return index === layout.slabs ? layout.jumbo : layout.slab;
}

/** Where worker slot `slot`'s private scratch begins. */
export function scratchStart(layout: Layout, slot: number): number {
  return layout.scratchStart + slot * layout.scratchBytes;
}

/** msgpack grows JSON by 9/4 at worst (`1.5,` becomes 9 bytes); a run that does not fit stops at a record border, but one record always must. */
function drawSlab(inBytes: number, recordsMax: number): SlabShape {
  let at = SLAB_HEADER_BYTES;
  const take = (bytes: number): number => {
    const start = at;
    at = roundUp(at + bytes, LINE);
    return start;
  };
  const outBytes = roundUp(inBytes * 2.5 + 32 * KIB, KIB);
  const textBytes = Math.max(64 * KIB, inBytes >> 1);
  return {
    inStart: take(inBytes),
    inBytes,
    outStart: take(outBytes),
    outBytes,
    batchStart: take(recordsMax * BATCH_WORDS * 4),
    rejectStart: take(recordsMax * REJECT_WORDS * 4),
    claimStart: take((recordsMax + 1) * CLAIM_WORDS * 4),
    tentativeStart: take(recordsMax * TENTATIVE_WORDS * 4),
    recordStart: take(recordsMax * 4),
    textStart: take(textBytes),
    textBytes,
    recordsMax,
    bytes: roundUp(at, PAGE),
  };
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
