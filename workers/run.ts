/** One run of a slab as its worker sees it: absolute offsets, fill levels of all tables, and the only places that write results. */
import { EVENT_WORDS, EventWord } from '../src/memory/event-table.ts';
import {
  BATCH_WORDS,
  CLAIM_WORDS,
  ID_TEXT_BYTES_MAX,
  REJECT_WORDS,
  RejectWord,
  scratchStart,
  SlabForm,
  SlabWord,
  TENTATIVE_WORDS,
} from '../src/memory/layout.ts';
import type { Layout } from '../src/memory/layout.ts';
import type { Ring } from '../src/memory/ring.ts';
import { NO_SLOT } from '../src/memory/window.ts';
import { createCopy } from '../src/memory/copy.ts';
import type { Copy } from '../src/memory/copy.ts';

const MESSAGE_BYTES_MAX = 300; // Of a reject's text: enough for a reason, too short to fill the text area.

/** How far a run came. */
export interface RunDone {
  /** Absolute offset. */
  readonly inDone: number;
  readonly records: number;
  readonly lines: number;
  readonly stopped: boolean;
}

export class Run {
  readonly ring: Ring;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly copy: Copy;
  readonly scratch: number;
  readonly eventRow: number;
  readonly #layout: Layout;
  slab = 0;
  sequence = 0;
  header = 0; // Int32 index of the slab's header.
  inStart = 0;
  inEnd = 0;
  outAt = 0;
  outEnd = 0;
  batchRow = 0;
  claimRow = 0;
  tentativeRow = 0;
  recordRow = 0; // 0 = bytes form: nobody asks for single records.
  rowsMax = 0;
  // Fill levels; offsets are absolute.
  scratchAt = 0;
  scratchEnd = 0;
  idAt = 0;
  idEnd = 0;
  textAt = 0;
  textEnd = 0;
  events = 0;
  batches = 0;
  rejects = 0;
  claims = 0;
  tentatives = 0;
  duplicates = 0;
  dropped = 0;
  conflicts = 0;
  waitsFor = 0;
  #rejectRow = 0;

  constructor(ring: Ring, slot: number) {
    this.ring = ring;
    this.bytes = ring.bytes;
    this.words = ring.words;
    this.copy = createCopy(ring.memory);
    this.#layout = ring.layout;
    this.scratch = scratchStart(ring.layout, slot);
    this.eventRow = (this.scratch + ring.layout.eventStart) / 4;
  }

  open(slab: number): void {
    const shape = this.ring.shape(slab);
    const start = this.ring.start(slab);
    this.slab = slab;
    this.header = start / 4;
    this.sequence = this.words[this.header + SlabWord.sequence]!;
    this.inStart = start + shape.inStart;
    this.inEnd = this.inStart + this.words[this.header + SlabWord.inBytes]!;
    this.outAt = start + shape.outStart;
    this.outEnd = this.outAt + shape.outBytes;
    this.batchRow = (start + shape.batchStart) / 4;
    this.#rejectRow = (start + shape.rejectStart) / 4;
    this.claimRow = (start + shape.claimStart) / 4;
    this.tentativeRow = (start + shape.tentativeStart) / 4;
    this.recordRow = this.words[this.header + SlabWord.form] === SlabForm.frames ? (start + shape.recordStart) / 4 : 0;
    this.rowsMax = shape.recordsMax;
    this.scratchAt = this.scratch;
    this.scratchEnd = this.scratch + this.#layout.idStart;
    this.idAt = this.scratchEnd;
    this.idEnd = this.scratch + this.#layout.eventStart - ID_TEXT_BYTES_MAX;
    this.textAt = start + shape.textStart;
    this.textEnd = this.textAt + shape.textBytes;
    this.events = this.batches = this.rejects = this.claims = this.tentatives = 0;
    this.duplicates = this.dropped = this.conflicts = 0;
    this.words[this.claimRow] = NO_SLOT;
    this.words[this.header + SlabWord.suspect] = -1;
    this.words[this.header + SlabWord.claims] = 0;
  }

  /** Place of the in area's first byte in the source. */
  get offset(): number {
    return this.ring.offset(this.slab);
  }

  /** Room for so many more rows in every table; without it the run stops at this record's border. */
  hasRows(rows: number): boolean {
    return this.freeRows >= rows;
  }

  /** How many more rows every table takes, at least. */
  get freeRows(): number {
    if (this.rejects >= this.rowsMax || this.idAt > this.idEnd) return 0;
    return this.rowsMax - Math.max(this.events, this.tentatives);
  }

  /** Says what became of a record that somebody waits for. */
  settleRecord(record: number, outcome: number): void {
    if (this.recordRow !== 0) this.words[this.recordRow + record] = outcome;
  }

  /** Writes a row of the reject table. `at` is the absolute offset of the fault, or -1. */
  reject(row: { record: number; start: number; end: number; line: number; reason: number; at: number; message: string }): void {
    const at = this.#rejectRow + this.rejects * REJECT_WORDS;
    this.words[at + RejectWord.record] = row.record;
    this.words[at + RejectWord.start] = row.start - this.inStart;
    this.words[at + RejectWord.end] = row.end - this.inStart;
    this.words[at + RejectWord.line] = row.line;
    this.words[at + RejectWord.reason] = row.reason;
    this.words[at + RejectWord.at] = row.at < 0 ? -1 : row.at - this.inStart;
    this.words[at + RejectWord.textStart] = this.textAt;
    this.words[at + RejectWord.textBytes] = this.#text(row.message);
    this.rejects += 1;
  }

  /** Appends to the event table and returns the row's Int32 index. */
  addEvent(start: number, end: number, subject: number): number {
    const row = this.eventRow + this.events * EVENT_WORDS;
    this.words[row + EventWord.start] = start;
    this.words[row + EventWord.end] = end;
    this.words[row + EventWord.subject] = subject;
    this.words[row + EventWord.next] = -1;
    this.events += 1;
    return row;
  }

  addTentative(row: { record: number; start: number; next: number; ordinal: number; owner: number }): void {
    const at = this.tentativeRow + this.tentatives * TENTATIVE_WORDS;
    this.words[at] = row.record;
    this.words[at + 1] = row.start;
    this.words[at + 2] = row.next;
    this.words[at + 3] = row.ordinal;
    this.words[at + 4] = row.owner;
    // The greatest owner by difference: sequences wrap.
    if (this.tentatives === 0 || ((row.owner - this.waitsFor) | 0) > 0) this.waitsFor = row.owner;
    this.tentatives += 1;
  }

  /** Int32 index of the next row of the claim log. */
  nextClaim(): number {
    return this.claimRow + this.claims * CLAIM_WORDS;
  }

  /** Before user code: if this worker dies now, main knows which record to set apart. */
  suspect(record: number, start: number, next: number): void {
    this.words[this.header + SlabWord.suspectStart] = start - this.inStart;
    this.words[this.header + SlabWord.suspectNext] = next - this.inStart;
    // Pairs with main's load when it looks after a worker that died or is stuck: start and next are written before.
    Atomics.store(this.words, this.header + SlabWord.suspect, record);
    Atomics.add(this.words, this.header + SlabWord.heartbeat, 1);
  }

  clearSuspect(): void {
    Atomics.store(this.words, this.header + SlabWord.suspect, -1); // Pairs with main's load, as above.
  }

  /** Int32 index of a new row of the batch table. */
  addBatch(): number {
    const row = this.batchRow + this.batches * BATCH_WORDS;
    this.batches += 1;
    return row;
  }

  /** Writes the result words; `Ring.complete` publishes them. */
  close(done: RunDone, outBytes: number): void {
    const { words, header } = this;
    words[header + SlabWord.inDone] = done.inDone - this.inStart;
    words[header + SlabWord.recordsDone] = done.records;
    words[header + SlabWord.lines] = done.lines;
    words[header + SlabWord.stopped] = done.stopped ? 1 : 0;
    words[header + SlabWord.outBytes] = outBytes;
    words[header + SlabWord.batches] = this.batches;
    words[header + SlabWord.rejects] = this.rejects;
    words[header + SlabWord.events] = this.events;
    words[header + SlabWord.dropped] = this.dropped;
    words[header + SlabWord.duplicates] = this.duplicates;
    words[header + SlabWord.tentatives] = this.tentatives;
    words[header + SlabWord.conflicts] = this.conflicts;
    words[header + SlabWord.waitsFor] = this.waitsFor;
    words[header + SlabWord.claims] = this.claims;
  }

  #text(message: string): number {
    if (message === '') return 0;
    const text = Buffer.from(message.slice(0, MESSAGE_BYTES_MAX));
    if (this.textAt + text.length > this.textEnd) return 0; // Then the reason alone must do.
    this.bytes.set(text, this.textAt);
    this.textAt += text.length;
    return text.length;
  }
}
