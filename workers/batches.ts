/** Gathers the events of each subject into messages: header block and payload contiguous, in the slab's out area. */
import { BatchHasher } from './batch-hasher.ts';
import type { BatchPart } from './batch-hasher.ts';
import { putArrayHead, putAscii, putBytes, putCopy, putHeaderMap, putNumber, putStringHead } from './header-writer.ts';
import type { Kernel } from './kernel-host.ts';
import { batchLimit } from './pipeline.ts';
import { OriginWriter } from './origin-writer.ts';
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { EventWord } from '../src/memory/event-table.ts';
import { BatchWord, CLAIM_WORDS, LEAD_BYTES, LED_BYTES_MIN, SlabWord, TRAIL_BYTES } from '../src/memory/layout.ts';

const PLAIN_PREFIX = Buffer.from('NATS/1.0\r\nContent-Type: application/msgpack\r\n');
const ENVELOPE_PREFIX = Buffer.from('NATS/1.0\r\nContent-Type: application/msgpack; form=envelope\r\n');
const MESSAGE_ID = 'Nats-Msg-Id: ';
const BATCH = 'Millrace-Batch: ';
const ELEMENT_HEAD_BYTES_MAX = 8; // Array of three, nil or the id's head.

export class Batcher {
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  readonly #hasher: BatchHasher;
  #pipeline!: Pipeline;
  readonly #origin: OriginWriter;
  #before = -1; // Last row of the subject's batch before this one, -1 = none.

  constructor(run: Run, subjects: SubjectTable, kernel: Kernel | null) {
    this.#run = run;
    this.#subjects = subjects;
    this.#hasher = new BatchHasher(run, subjects, kernel);
    this.#origin = new OriginWriter(run);
  }

  /** Writes every batch of the run; returns the bytes written. */
  write(pipeline: Pipeline): number {
    const { outAt } = this.#run;
    this.#pipeline = pipeline;
    this.#origin.open(pipeline);
    for (let subject = 0; subject < this.#subjects.count; subject += 1) {
      let row = this.#subjects.head[subject]!;
      this.#before = -1;
      while (row >= 0) row = pipeline.description.framing === 'each' ? this.#writeSingle(subject, row) : this.#writeBatch(subject, row);
    }
    return this.#run.outAt - outAt;
  }

  /** One message for one event. Returns the row after it. */
  #writeSingle(subject: number, row: number): number {
    const run = this.#run;
    const { words } = run;
    const batch = this.#begin(subject, row, 0);
    const idStart = words[row + EventWord.idStart]!;
    this.#mark(row, words[row + EventWord.next]!);
    let at = this.#openHeaders(false);
    if (idStart >= 0) at = this.#line(at, MESSAGE_ID, idStart, words[row + EventWord.idEnd]!);
    else if (this.#pipeline.description.messageIds && this.#pipeline.description.madeIds !== false) at = this.#madeId(at, MESSAGE_ID);
    if (words[row + EventWord.headersStart]! >= 0)
      at = putCopy(run, at, words[row + EventWord.headersStart]!, words[row + EventWord.headersEnd]!);
    // A batch of one: the range of its record, or none when the record made more events of this subject.
    if (this.#pipeline.description.id === 'offset' && this.#pipeline.description.rangeOfEach === true)
      at = this.#origin.put(at, { before: this.#before, first: row, last: row });
    this.#before = row;
    at = putAscii(run, at, '\r\n');
    words[batch + BatchWord.payloadStart] = at;
    at = putCopy(run, at, words[row + EventWord.start]!, words[row + EventWord.end]!);
    this.#close(batch, at, 1, row);
    return words[row + EventWord.next]!;
  }

  /** One message for as many events of the subject as fit. Returns the row after them. */
  #writeBatch(subject: number, first: number): number {
    const run = this.#run;
    const { words } = run;
    const envelope = this.#isEnvelope(first);
    const { after, last, count, bytes } = this.#measure(first, envelope);
    const batch = this.#begin(subject, first, bytes >= LED_BYTES_MIN ? LEAD_BYTES : 0);
    this.#mark(first, after);
    let at = this.#openHeaders(envelope);
    at = this.#batchId(at, { subject, first, after, count });
    at = putAscii(run, putNumber(run, putAscii(run, at, 'Millrace-Count: '), count), '\r\n');
    if (!envelope) at = this.#origin.put(at, { before: this.#before, first, last });
    this.#before = last;
    at = putAscii(run, at, '\r\n');
    words[batch + BatchWord.payloadStart] = at;
    at = putArrayHead(run, at, count);
    at = envelope ? this.#elements(at, first, after) : this.#runs(at, first, after);
    this.#close(batch, at, count, last);
    return after;
  }

  /** How many events from `first` on fit into one batch; the events of one record stay together where they can. */
  #measure(first: number, envelope: boolean): { after: number; last: number; count: number; bytes: number } {
    const { words } = this.#run;
    const { batchEvents } = this.#pipeline.description;
    const limit = batchLimit(this.#run.words[this.#run.header + SlabWord.messageBytesMax]!, this.#pipeline);
    const whole = { after: -1, last: first, count: 0, bytes: 0 }; // Up to the last border between records.
    let row = first;
    let last = first;
    let count = 0;
    let bytes = 5;
    let taken = 5;
    for (; row >= 0; count += 1) {
      bytes += words[row + EventWord.end]! - words[row + EventWord.start]!;
      if (envelope)
        bytes +=
          ELEMENT_HEAD_BYTES_MAX +
          words[row + EventWord.idEnd]! -
          words[row + EventWord.idStart]! +
          (words[row + EventWord.headersEnd]! - words[row + EventWord.headersStart]!);
      if (count > 0 && words[row + EventWord.record] !== words[last + EventWord.record]) {
        whole.after = row;
        whole.last = last;
        whole.count = count;
        whole.bytes = taken;
      }
      if (count === batchEvents || (count > 0 && (bytes > limit || this.#isEnvelope(row) !== envelope))) break;
      last = row;
      taken = bytes;
      row = words[row + EventWord.next]!;
    }
    return row >= 0 && whole.count > 0 ? whole : { after: row, last, count, bytes: taken };
  }

  /** Plain elements lie one after the other in the scratch, so whole stretches are copied at once. */
  #runs(at: number, first: number, after: number): number {
    const run = this.#run;
    const { words } = run;
    let next = at;
    let start = words[first + EventWord.start]!;
    let end = start;
    for (let row = first; row !== after; row = words[row + EventWord.next]!) {
      if (words[row + EventWord.start] !== end) {
        next = putCopy(run, next, start, end);
        start = words[row + EventWord.start]!;
      }
      end = words[row + EventWord.end]!;
    }
    return putCopy(run, next, start, end);
  }

  /** `[id | nil, headers | nil, event]` each. */
  #elements(at: number, first: number, after: number): number {
    const run = this.#run;
    const { words, bytes } = run;
    let next = at;
    for (let row = first; row !== after; row = words[row + EventWord.next]!) {
      bytes[next] = 0x93;
      next += 1;
      const idStart = words[row + EventWord.idStart]!;
      const idEnd = words[row + EventWord.idEnd]!;
      if (idStart < 0) bytes[next++] = 0xc0;
      else next = putCopy(run, putStringHead(run, next, idEnd - idStart), idStart, idEnd);
      const headersStart = words[row + EventWord.headersStart]!;
      if (headersStart < 0) bytes[next++] = 0xc0;
      else next = putHeaderMap(run, next, headersStart, words[row + EventWord.headersEnd]!);
      next = putCopy(run, next, words[row + EventWord.start]!, words[row + EventWord.end]!);
    }
    return next;
  }

  /**
   * `Millrace-Batch`, and the same as `Nats-Msg-Id` where the broker takes ids: the identity of the contents, or of this process and place.
   * The latter comes first: adapters look for it in every message.
   */
  #batchId(at: number, part: BatchPart): number {
    const { description } = this.#pipeline;
    const start = at + (description.messageIds ? MESSAGE_ID : BATCH).length;
    let end: number;
    if (this.#run.words[part.first + EventWord.idStart]! >= 0) end = putBytes(this.#run, start, this.#hasher.hex(part));
    else end = this.#makeId(start);
    if (!description.messageIds) return putAscii(this.#run, this.#named(at, BATCH, end), '\r\n');
    const next = putAscii(this.#run, this.#named(at, MESSAGE_ID, end), '\r\n');
    return this.#line(next, BATCH, start, end);
  }

  #named(at: number, name: string, end: number): number {
    putAscii(this.#run, at, name);
    return end;
  }

  #madeId(at: number, name: string): number {
    return putAscii(this.#run, this.#makeId(putAscii(this.#run, at, name)), '\r\n');
  }

  /** Unique in this process for ever (sequences wrap after 2^32 slabs) and kept with the slab: a resend has the same. */
  #makeId(at: number): number {
    const run = this.#run;
    const sequence = run.words[run.header + SlabWord.sequence]! >>> 0;
    let next = putAscii(run, putAscii(run, at, this.#pipeline.description.nonce), '-');
    next = putAscii(run, putNumber(run, next, sequence), '-');
    next = putAscii(run, putNumber(run, next, run.words[run.header + SlabWord.run]!), '-');
    return putNumber(run, next, run.batches);
  }

  #line(at: number, name: string, start: number, end: number): number {
    return putAscii(this.#run, putCopy(this.#run, putAscii(this.#run, at, name), start, end), '\r\n');
  }

  /** Says which batch each claim and each awaited record went into. */
  #mark(first: number, after: number): void {
    const { words, claims, claimRow, recordRow, batches } = this.#run;
    if (claims === 0 && recordRow === 0) return;
    for (let row = first; row !== after; row = words[row + EventWord.next]!) {
      const claim = words[row + EventWord.claim]!;
      if (claim >= 0) words[claimRow + claim * CLAIM_WORDS + 1] = batches - 1;
      this.#run.settleRecord(words[row + EventWord.record]!, batches - 1);
    }
  }

  #openHeaders(envelope: boolean): number {
    const at = putBytes(this.#run, this.#run.outAt, envelope ? ENVELOPE_PREFIX : PLAIN_PREFIX);
    return putBytes(this.#run, at, this.#pipeline.headerLines);
  }

  #isEnvelope(row: number): boolean {
    const { words } = this.#run;
    return (
      this.#pipeline.envelope ||
      words[row + EventWord.headersStart]! >= 0 ||
      (this.#pipeline.idPick < 0 && this.#pipeline.description.id !== 'hash' && words[row + EventWord.idStart]! >= 0)
    );
  }

  #begin(subject: number, first: number, lead: number): number {
    const { words } = this.#run;
    const batch = this.#run.addBatch();
    const outAt = (this.#run.outAt += lead);
    words[batch + BatchWord.lead] = lead;
    words[batch + BatchWord.subjectStart] = this.#subjects.start[subject]!;
    words[batch + BatchWord.subjectBytes] = this.#subjects.length[subject]!;
    words[batch + BatchWord.start] = outAt;
    words[batch + BatchWord.firstRecord] = words[first + EventWord.record]!;
    return batch;
  }

  #close(batch: number, end: number, count: number, last: number): void {
    const { words } = this.#run;
    words[batch + BatchWord.end] = end;
    words[batch + BatchWord.count] = count;
    words[batch + BatchWord.lastRecord] = words[last + EventWord.record]!;
    this.#run.outAt = end + (words[batch + BatchWord.lead] === 0 ? 0 : TRAIL_BYTES);
  }
}
