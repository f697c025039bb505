/** Takes one record: encodes it, runs user code, routes, identifies and claims each of its events, or rejects it with its place. No objects on the way. */
import { IDENTITY_DUPLICATE, IDENTITY_FRESH, Identifier } from './identify.ts';
import { RowWord } from './kernel-layout.ts';
import type { Picks, Pipeline } from './pipeline.ts';
import { Room } from './room.ts';
import { SubjectRouter } from './router.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { StoredFilter } from './stored-filter.ts';
import { makeEvents } from './user-events.ts';
import { reasonCode } from '../src/api/reject-reasons.ts';
import { ENCODE_FULL, ENCODE_REJECT } from '../src/codec/record-encoder.ts';
import type { FrameReader } from '../src/memory/frames.ts';
import { EventWord } from '../src/memory/event-table.ts';
import { RECORD_DROPPED, RECORD_DUPLICATE, RECORD_REJECT, RECORD_TENTATIVE } from '../src/memory/layout.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

const TOO_LARGE = reasonCode('too_large');
const TOO_LONG = reasonCode('too_long');

const TAKEN = 0;
const REFUSED = 1;
const NO_ROOM = 2;

export class EventTaker {
  pipeline!: Pipeline;
  /** Take only this event of a record; -1 = all. */
  only = -1;
  // The record at hand, absolute; `next` is where the one after it begins.
  record = 0;
  start = 0;
  end = 0;
  next = 0;
  line = 0;
  readonly room: Room = new Room();
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  readonly #identifier: Identifier;
  readonly #router: SubjectRouter;
  readonly #stored: StoredFilter;
  #frame: FrameReader | null = null;

  constructor(run: Run, subjects: SubjectTable, window: DedupeWindow | null) {
    this.#run = run;
    this.#subjects = subjects;
    this.#identifier = new Identifier(run, window);
    this.#router = new SubjectRouter(run, subjects);
    this.#stored = new StoredFilter(run, subjects);
  }

  open(pipeline: Pipeline): void {
    this.pipeline = pipeline;
    this.room.open(pipeline, this.#run);
    this.#router.open(pipeline);
    this.#stored.open();
  }

  /** The subject of all events of this run; -1 = each makes its own. */
  get constantSubject(): number {
    return this.#router.constant;
  }

  /** Must each event be looked up among the positions that are stored? */
  get asksStored(): boolean {
    return this.#stored.active;
  }

  /** False = no room: nothing of the record was taken, and the run stops before it. */
  takeBytes(): boolean {
    const run = this.#run;
    if (!run.hasRows(1)) return false;
    if (this.end - this.start > this.room.recordBytesMax && this.#isTooLong()) return this.#refuseTooLong();
    const { encoder, user } = this.pipeline;
    const end = encoder.encode(run.bytes, this.start, this.end, run.bytes, run.scratchAt, run.scratchEnd);
    if (end === ENCODE_FULL) return run.scratchAt === run.scratch ? this.#reject(TOO_LARGE, -1, 'its msgpack form does not fit') : false;
    if (end === ENCODE_REJECT) return this.#reject(encoder.reason, encoder.errorAt, '');
    if (user !== null) return this.#takeObjects(run.bytes.slice(run.scratchAt, end));
    const taken = this.#takeEvent(run.scratchAt, end, 0, encoder);
    if (taken === TAKEN) run.scratchAt = end; // Else the next event overwrites it.
    return taken !== NO_ROOM;
  }

  /** A record that the kernel has encoded: `row` is the Int32 index of what it found. */
  takeRow(row: number, picks: Picks): boolean {
    const run = this.#run;
    if (!run.hasRows(1)) return false;
    if (this.end - this.start > this.room.recordBytesMax && this.#isTooLong()) return this.#refuseTooLong();
    this.#identifier.row = row;
    const taken = this.#takeEvent(run.words[row + RowWord.outStart]! >>> 0, run.words[row + RowWord.outEnd]! >>> 0, 0, picks);
    this.#identifier.row = -1;
    return taken !== NO_ROOM;
  }

  /** The same for an event that main has packed; it may bring its own subject, id and headers. */
  takeFrame(frame: FrameReader): boolean {
    const run = this.#run;
    if (!run.hasRows(1)) return false;
    const { user, picker, idPick } = this.pipeline;
    this.#frame = frame;
    try {
      if (user !== null) return this.#takeObjects(run.bytes.slice(frame.payloadStart, frame.end));
      if (idPick >= 0 || this.#router.needsPicks) picker.pick(run.bytes, frame.payloadStart, frame.end);
      return this.#takeEvent(frame.payloadStart, frame.end, 0, picker) !== NO_ROOM;
    } finally {
      this.#frame = null;
    }
  }

  /** A record that does not even fit an empty run. */
  refuseUnfit(): void {
    this.#reject(TOO_LARGE, -1, 'its events do not fit into one slab');
  }

  /** User code makes none, one or several events of a record; all are taken or none. */
  #takeObjects(payload: Uint8Array): boolean {
    const run = this.#run;
    const made = makeEvents(run, this.pipeline, this, payload);
    if ('reason' in made) return this.#reject(made.reason, -1, made.message);
    const { events } = made;
    if (events.length === 0) {
      run.dropped += 1;
      run.settleRecord(this.record, RECORD_DROPPED);
      return true;
    }
    let [bytes, room] = [0, 0];
    for (const event of events) {
      bytes += event.length;
      room += this.room.of(event.length);
    }
    if (!run.hasRows(events.length) || run.scratchAt + bytes > run.scratchEnd || run.outAt + this.room.needed + room > run.outEnd)
      return false;
    for (const [ordinal, event] of events.entries()) {
      if (this.only >= 0 && this.only !== ordinal) continue;
      const start = run.scratchAt;
      const end = start + event.length;
      run.bytes.set(event, start);
      this.pipeline.picker.pick(run.bytes, start, end);
      const taken = this.#takeEvent(start, end, ordinal, this.pipeline.picker);
      if (taken === TAKEN) run.scratchAt = end;
      else if (taken === NO_ROOM) this.#reject(TOO_LARGE, -1, 'there is no room for the subjects of all its events');
    }
    if (this.only >= events.length) run.dropped += 1; // User code made fewer events of it this time.
    return true;
  }

  /** Routes, identifies, claims and appends one encoded event. */
  #takeEvent(start: number, end: number, ordinal: number, picks: Picks): number {
    const run = this.#run;
    const identifier = this.#identifier;
    const frame = this.#frame;
    const extra = frame === null ? 0 : frame.payloadStart - frame.headersStart;
    const bytes = end - start + extra;
    if (bytes > this.room.eventBytesMax) {
      this.#reject(
        TOO_LARGE,
        -1,
        `${bytes} B are more than the ${this.room.eventBytesMax} B that the broker's limit leaves beside the headers`,
      );
      return REFUSED;
    }
    const room = this.room.of(bytes);
    if (run.outAt + this.room.needed + room > run.outEnd) return NO_ROOM;
    const idAt = run.idAt;
    const given = frame !== null && frame.headersStart > frame.idStart;
    const reason = given ? identifier.given(frame.idStart, frame.headersStart) : identifier.byRule(this.pipeline, picks, start, end);
    if (reason !== 0) return this.#refuse(reason, idAt);
    const subject = this.#router.route(frame, picks);
    if (subject === -1) return NO_ROOM;
    if (subject < 0) return this.#refuse(this.#router.fault, idAt);
    // By position: an id by position needs no window, so it is never claimed.
    const stored = this.#stored.active && this.#stored.isStored(subject, this.start);
    const claimed = stored ? IDENTITY_DUPLICATE : identifier.claim(this.pipeline.description.windowed, start, end);
    if (claimed !== IDENTITY_FRESH) {
      run.idAt = idAt;
      this.#drop(claimed, ordinal);
      return REFUSED;
    }
    this.#append(start, end, subject);
    this.room.needed += room;
    return TAKEN;
  }

  #append(start: number, end: number, subject: number): void {
    const run = this.#run;
    const { words } = run;
    const frame = this.#frame;
    const row = run.addEvent(start, end, subject);
    words[row + EventWord.record] = this.record;
    words[row + EventWord.recordStart] = this.start;
    words[row + EventWord.recordEnd] = this.next;
    words[row + EventWord.idStart] = this.#identifier.start;
    words[row + EventWord.idEnd] = this.#identifier.end;
    words[row + EventWord.claim] = this.#identifier.claimed;
    const headers = frame !== null && frame.payloadStart > frame.headersStart;
    words[row + EventWord.headersStart] = headers ? frame.headersStart : -1;
    words[row + EventWord.headersEnd] = headers ? frame.payloadStart : -1;
    this.#subjects.append(subject, row);
  }

  /** A copy: of an id that is committed, or of one whose owner has not settled yet. */
  #drop(claimed: number, ordinal: number): void {
    const run = this.#run;
    if (claimed === IDENTITY_DUPLICATE) run.duplicates += 1;
    else run.addTentative({ record: this.record, start: this.start, next: this.next, ordinal, owner: this.#identifier.owner });
    run.settleRecord(this.record, claimed === IDENTITY_DUPLICATE ? RECORD_DUPLICATE : RECORD_TENTATIVE);
  }

  #refuse(reason: number, idAt: number): number {
    this.#run.idAt = idAt;
    this.#reject(reason, -1, '');
    return REFUSED;
  }

  #reject(reason: number, at: number, message: string): true {
    const { record, start, line } = this;
    const end = this.#trimmedEnd();
    this.#run.settleRecord(record, RECORD_REJECT - this.#run.rejects);
    this.#run.reject({ record, start, end, line, reason, at, message });
    return true;
  }

  /** The line end is not the record's. */
  #trimmedEnd(): number {
    const { start } = this;
    const { bytes } = this.#run;
    let { end } = this;
    while (end > start && (bytes[end - 1] === 10 || bytes[end - 1] === 13)) end -= 1;
    return end;
  }

  #isTooLong(): boolean {
    return this.#trimmedEnd() - this.start > this.room.recordBytesMax;
  }

  #refuseTooLong(): true {
    return this.#reject(TOO_LONG, -1, `${this.#trimmedEnd() - this.start} B > ${this.room.recordBytesMax} B (maxEventBytes)`);
  }
}
