/** Takes one record: encodes it, runs user code, routes, identifies and claims each of its events, or rejects it with its place. */
import { Batcher } from './batches.ts';
import { IDENTITY_DUPLICATE, IDENTITY_FRESH, Identifier } from './identify.ts';
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { applyTransform, faultOf } from './user-code.ts';
import { reasonCode } from '../src/api/reject-reasons.ts';
import { packEvent, unpackValue } from '../src/codec/msgpack.ts';
import { ENCODE_FULL, ENCODE_REJECT } from '../src/codec/record-encoder.ts';
import type { FrameReader } from '../src/memory/frames.ts';
import { EventWord, RECORD_DROPPED, RECORD_DUPLICATE, RECORD_REJECT, RECORD_TENTATIVE, SlabWord } from '../src/memory/layout.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

const REASON = {
  tooLarge: reasonCode('too_large'),
  transform: reasonCode('transform'),
  decode: reasonCode('decode'),
  validation: reasonCode('validation'),
  missingField: reasonCode('missing_field'),
  invalidSubject: reasonCode('invalid_subject'),
} as const;

/** Where a record lies, absolute; `next` is where the one after it begins. */
export interface RecordPlace {
  readonly record: number;
  readonly start: number;
  readonly end: number;
  readonly next: number;
  readonly line: number;
}

interface Picks {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
}

export class EventTaker {
  pipeline!: Pipeline;
  /** Take only this event of a record; -1 = all. */
  only = -1;
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  readonly #identifier: Identifier;
  #outNeeded = 0;
  #messageBytesMax = 0;
  #constantSubject = -1;
  #subjectFault = 0;

  constructor(run: Run, subjects: SubjectTable, window: DedupeWindow | null) {
    this.#run = run;
    this.#subjects = subjects;
    this.#identifier = new Identifier(run, window);
  }

  open(pipeline: Pipeline): void {
    this.pipeline = pipeline;
    this.#outNeeded = 0;
    this.#messageBytesMax = this.#run.words[this.#run.header + SlabWord.messageBytesMax]!;
    this.#constantSubject = pipeline.subjectBytes === null ? -1 : this.#subjects.internBytes(pipeline.subjectBytes);
  }

  /** False = no room: nothing of the record was taken, and the run stops before it. */
  takeBytes(place: RecordPlace): boolean {
    const run = this.#run;
    if (!run.hasRows(1)) return false;
    const { encoder, user } = this.pipeline;
    const end = encoder.encode(run.bytes, place.start, place.end, run.bytes, run.scratchAt, run.scratchEnd);
    if (end === ENCODE_FULL) return run.scratchAt === run.scratch ? this.#reject(place, REASON.tooLarge, 'its msgpack form does not fit') : false;
    if (end === ENCODE_REJECT) return this.#rejectAt(place, encoder.reason, encoder.errorAt);
    if (user !== null) return this.#takeObjects(place, run.bytes.slice(run.scratchAt, end));
    const start = run.scratchAt;
    const taken = this.#takeEvent(place, { start, end, ordinal: 0 }, encoder);
    if (taken === TAKEN) run.scratchAt = end; // Else the next event overwrites it.
    return taken !== NO_ROOM;
  }

  /** The same for an event that main has packed; it may bring its own subject, id and headers. */
  takeFrame(place: RecordPlace, frame: FrameReader): boolean {
    const run = this.#run;
    if (!run.hasRows(1)) return false;
    this.#frame = frame;
    try {
      if (this.pipeline.user !== null) return this.#takeObjects(place, run.bytes.slice(frame.payloadStart, frame.end));
      if (this.pipeline.idPick >= 0 || this.#constantSubject < 0) this.pipeline.picker.pick(run.bytes, frame.payloadStart, frame.end);
      return this.#takeEvent(place, { start: frame.payloadStart, end: frame.end, ordinal: 0 }, this.pipeline.picker) !== NO_ROOM;
    } finally {
      this.#frame = null;
    }
  }

  #frame: FrameReader | null = null;

  /** User code makes none, one or several events of a record; all are taken or none. */
  #takeObjects(place: RecordPlace, payload: Uint8Array): boolean {
    const run = this.#run;
    const packed = this.#userCode(place, payload);
    if (packed === null) return true; // Rejected.
    if (packed.length === 0) {
      run.dropped += 1;
      run.settleRecord(place.record, RECORD_DROPPED);
      return true;
    }
    let bytes = 0;
    let room = 0;
    for (const event of packed) {
      bytes += event.length;
      room += Batcher.room(run, this.pipeline, { bytes: event.length, extra: ID_AND_SUBJECT_BYTES });
    }
    const first = run.events === 0;
    if (!run.hasRows(packed.length) || run.scratchAt + bytes > run.scratchEnd || run.outAt + this.#outNeeded + room > run.outEnd) {
      return first ? this.#reject(place, REASON.tooLarge, `its ${packed.length} events (${bytes} B) do not fit into one slab`) : false;
    }
    for (const [ordinal, event] of packed.entries()) {
      if (this.only >= 0 && this.only !== ordinal) continue;
      const start = run.scratchAt;
      run.bytes.set(event, start);
      this.pipeline.picker.pick(run.bytes, start, start + event.length);
      if (this.#takeEvent(place, { start, end: start + event.length, ordinal }, this.pipeline.picker) === TAKEN) run.scratchAt = start + event.length;
    }
    return true;
  }

  #userCode(place: RecordPlace, payload: Uint8Array): readonly Uint8Array[] | null {
    const run = this.#run;
    const { user, description } = this.pipeline;
    run.suspect(place.record, place.start, place.next);
    let reason: number = REASON.decode;
    try {
      const value = unpackValue(payload);
      reason = REASON.transform;
      const offset = (run.words[run.header + SlabWord.offsetLow]! >>> 0) + run.words[run.header + SlabWord.offsetHigh]! * 2 ** 32;
      const context = { subject: description.subject, file: description.file, byteOffset: offset + place.start - run.inStart };
      const events = user!.transform === null ? [value] : applyTransform(user!.transform, value, context);
      const checked: unknown[] = [];
      for (const event of events) {
        const result = user!.validate === null ? { value: event } : user!.validate(event);
        if ('fault' in result) {
          reason = REASON.validation;
          throw new TypeError(result.fault);
        }
        checked.push(result.value);
      }
      return checked.map((event) => packEvent(event));
    } catch (thrown) {
      this.#reject(place, reason, faultOf(thrown));
      return null;
    } finally {
      run.clearSuspect();
    }
  }

  /** Routes, identifies, claims and appends one encoded event. */
  #takeEvent(place: RecordPlace, event: { start: number; end: number; ordinal: number }, picks: Picks): number {
    const run = this.#run;
    const identifier = this.#identifier;
    const { description } = this.pipeline;
    const { start, end } = event;
    const frame = this.#frame;
    const extra = frame === null ? ID_AND_SUBJECT_BYTES : ID_AND_SUBJECT_BYTES + frame.payloadStart - frame.headersStart;
    const room = Batcher.room(run, this.pipeline, { bytes: end - start, extra });
    if (end - start + this.pipeline.headerRoom + extra > this.#messageBytesMax) {
      this.#reject(place, REASON.tooLarge, `${end - start} B and its headers are more than the broker's ${this.#messageBytesMax} B`);
      return REFUSED;
    }
    if (run.outAt + this.#outNeeded + room > run.outEnd) return NO_ROOM;
    const idAt = run.idAt;
    const reason = frame !== null && frame.headersStart > frame.idStart ? identifier.given(frame.idStart, frame.headersStart) : identifier.byRule(this.pipeline, picks, start, end);
    if (reason !== 0) return this.#refuse(place, reason);
    const subject = this.#subject(frame, picks);
    if (subject === -1) return NO_ROOM;
    if (subject < 0) return this.#refuse(place, this.#subjectFault);
    const claimed = identifier.claimFor(description.windowed, start, end);
    if (claimed !== IDENTITY_FRESH) {
      run.idAt = idAt;
      if (claimed === IDENTITY_DUPLICATE) run.duplicates += 1;
      else run.addTentative({ record: place.record, start: place.start, next: place.next, ordinal: event.ordinal, owner: identifier.owner });
      run.settleRecord(place.record, claimed === IDENTITY_DUPLICATE ? RECORD_DUPLICATE : RECORD_TENTATIVE);
      return REFUSED;
    }
    this.#append(place, event, subject);
    this.#outNeeded += room;
    return TAKEN;
  }

  #append(place: RecordPlace, { start, end }: { start: number; end: number }, subject: number): void {
    const run = this.#run;
    const { words } = run;
    const frame = this.#frame;
    const row = run.addEvent(start, end, subject);
    words[row + EventWord.record] = place.record;
    words[row + EventWord.recordStart] = place.start;
    words[row + EventWord.recordEnd] = place.next;
    words[row + EventWord.idStart] = this.#identifier.start;
    words[row + EventWord.idEnd] = this.#identifier.end;
    words[row + EventWord.claim] = this.#identifier.claim;
    const headers = frame !== null && frame.payloadStart > frame.headersStart;
    words[row + EventWord.headersStart] = headers ? frame.headersStart : -1;
    words[row + EventWord.headersEnd] = headers ? frame.payloadStart : -1;
    this.#subjects.append(subject, row);
  }

  /** Index of the event's subject; -1 = no room, -2 = it makes none (`#subjectFault`). */
  #subject(frame: FrameReader | null, picks: Picks): number {
    const run = this.#run;
    if (frame !== null && frame.idStart > frame.subjectStart) {
      const bytes = frame.idStart - frame.subjectStart;
      if (run.textAt + bytes > run.textEnd) return -1;
      run.copy(run.textAt, frame.subjectStart, bytes);
      return this.#subjects.intern(run.textAt + bytes);
    }
    if (this.#constantSubject >= 0) return this.#constantSubject;
    const { template, subjectPick } = this.pipeline;
    if (run.textAt + SUBJECT_BYTES_MAX > run.textEnd) return -1;
    const end = template.render(run.bytes, picks.pickStart, picks.pickEnd, subjectPick, run.bytes, run.textAt, run.textAt + SUBJECT_BYTES_MAX);
    if (end >= 0) return this.#subjects.intern(end);
    this.#subjectFault = end === -1 ? REASON.missingField : REASON.invalidSubject;
    return -2;
  }

  #refuse(place: RecordPlace, reason: number): number {
    this.#reject(place, reason, '');
    return REFUSED;
  }

  #reject(place: RecordPlace, reason: number, message: string): true {
    this.#run.settleRecord(place.record, RECORD_REJECT - this.#run.rejects);
    this.#run.reject({ ...place, reason, at: -1, message });
    return true;
  }

  #rejectAt(place: RecordPlace, reason: number, at: number): true {
    this.#run.settleRecord(place.record, RECORD_REJECT - this.#run.rejects);
    this.#run.reject({ ...place, reason, at, message: '' });
    return true;
  }
}

const TAKEN = 0;
const REFUSED = 1;
const NO_ROOM = 2;
const SUBJECT_BYTES_MAX = 1_024;
const ID_AND_SUBJECT_BYTES = 256; // An id's text at most; subjects do not lie in the out area.
