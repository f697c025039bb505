/** What main knows of a slab in use: whose it is, how far its batches have got, who waits for its records. */
import type { LedgerBook } from './ledger.ts';
import type { Place } from './sequence-line.ts';
import type { MillraceError } from '../api/errors.ts';
import type { Receipt } from '../api/event.ts';
import type { RejectReason } from '../api/reject-reasons.ts';

/** A `publish` call that waits for its record. */
export interface Caller {
  /** For the receipt of a record that is in no batch. */
  readonly subject: string;
  resolve(receipt: Receipt): void;
  reject(error: MillraceError): void;
}

/** A record or event that was refused, with everything a dead letter says. Bytes are a private copy, bounded. */
export interface Refusal {
  readonly reason: RejectReason;
  readonly message: string;
  readonly error: MillraceError;
  readonly subject: string | null;
  readonly file: string | null;
  /** Line of the source, from 1; 0 = not known. */
  readonly line: number;
  readonly byteOffset: number;
  readonly byteEnd: number;
  readonly raw: Uint8Array;
  readonly encoding: 'input' | 'msgpack';
  /** Of the whole record, when `raw` is only its beginning. */
  readonly whole?: { readonly bytes: number; readonly sha256: string | null };
  readonly attempts: number;
}

/** A record that was refused before its slab's turn came: its line is known only when the slabs before it are committed. */
export interface EarlyRefusal {
  /** Line breaks of the source before the record, and up to its end, since the run or record before it. */
  readonly linesBefore: number;
  readonly lines: number;
  refuse(line: number): void;
}

/** Whoever fills slabs: an ingest, or the lane of `publish`. */
export interface Intake {
  readonly book: LedgerBook;
  readonly pipelineSlot: number;
  readonly pipelineVersion: number;
  /** Its pipeline has a transform or a schema. */
  readonly userCode: boolean;
  /** A later batch of a subject waits until the one before it has settled. */
  readonly strict: boolean;
  /** Folder of its dead letters, or `off`. */
  readonly deadLetters: string;
  /** Path or name of the source; null for `publish`. */
  readonly file: string | null;
  /** Lines of the source before the next run to be committed. */
  lines: number;
  /** Nothing is to be tried again: the engine closes. */
  readonly stopped: boolean;
  /** The slab of this sequence has been released; after it `lines` lines of the source have passed. */
  released(sequence: number, lines: number): void;
  /** Nothing more can be done for this intake. */
  fail(error: MillraceError): void;
}

export const NO_TENTATIVES: Int32Array = new Int32Array(0);

export class Ticket {
  readonly slab: number;
  intake!: Intake;
  sequence = 0;
  /** The worker is done with the current run. */
  ready = false;
  /** The current run was committed: its batches are being published. */
  committed = false;
  batches = 0;
  /** Rows after them: parts of batches that had to be taken apart. */
  extra = 0;
  /** Batches too large for the broker that may have been stored before: looked up before they are taken apart. */
  readonly oversized: Set<number> = new Set();
  /** Next batch to publish for the first time. */
  next = 0;
  /** Batches of this run that have not settled. */
  open = 0;
  /** Every record has been run; what is still to run are tentative copies. */
  recordsDone = false;
  place!: Place;
  /** Rows of the tentative table, kept here from run to run, and the greatest owner among them. */
  tentatives: Int32Array = NO_TENTATIVES;
  waitsFor = 0;
  /** The engine's count of failures when the records (or the copies) were first run: no more since then means its copies are duplicates. */
  failuresSeen = 0;
  /** Crashes that no record is suspected of. */
  crashes = 0;
  /** What the crash policy had achieved when this slab last crashed: more since then means that others are to blame. */
  progressSeen = 0;
  early: EarlyRefusal[] = [];
  /** Rows at the head of the tentative table that are to be taken again; more than fit into one run wait for the next. */
  retakes = 0;
  /** Record that user code was at work on when a worker died, -1 = none. */
  suspect = -1;
  /** The suspect of the last crash runs alone now: the next crash makes it a dead letter. */
  alone = false;
  callers: (Caller | undefined)[] = [];
  #room: Int32Array = NO_TENTATIVES;
  /** Attempts per batch that was published more than once. */
  attempts: Map<number, number> = new Map();
  /** Batches of which an attempt may have been stored: whatever comes later, they never failed for certain. */
  readonly doubtful: Set<number> = new Set();
  /** Doubtful batches that the stream surely did not hold when it was last looked at: they may be sent again, however old. */
  readonly lookedUp: Set<number> = new Set();
  /** What was stored meanwhile is read back: when the run is complete it does not count, and the slab runs again. */
  again = false;
  /** Settles the first batch, which was published alone before the slab was committed. */
  probed: (() => void) | null = null;
  /** Newest acked sequence, and the time, before its first batch was sent: what is stored of it comes after both. */
  sentAfter = 0;
  sentAtMs = 0;
  /** Lines of the source up to its end; valid when it is released. */
  linesAfter = 0;

  constructor(slab: number) {
    this.slab = slab;
  }

  begin(intake: Intake, place: Place, callers: (Caller | undefined)[]): void {
    this.intake = intake;
    this.place = place;
    this.sequence = place.sequence;
    this.callers = callers;
    this.recordsDone = this.alone = this.ready = this.committed = this.again = false;
    this.probed = null;
    this.sentAtMs = 0;
    this.retakes = 0;
    this.suspect = -1;
    if (this.early.length > 0) this.early = [];
    this.crashes = this.batches = this.next = this.open = 0;
    this.tentatives = NO_TENTATIVES;
    this.forgetAttempts();
  }

  /** Takes over so many words of the tentative table from `at`; the memory for them is kept from slab to slab. */
  keepTentatives(words: Int32Array, at: number, count: number): void {
    const kept = this.tentatives.length;
    if (kept === 0 && this.#room.length < count) this.#room = new Int32Array(2 * count);
    const all = kept === 0 ? this.#room.subarray(0, count) : new Int32Array(kept + count);
    if (kept > 0) all.set(this.tentatives);
    for (let index = 0; index < count; index += 1) all[kept + index] = words[at + index]!; // By hand: a view would be garbage.
    this.tentatives = all;
  }

  /** A run has settled: the next has other batches. */
  forgetAttempts(): void {
    // `clear` makes a new table, also of an empty one.
    if (this.attempts.size > 0) this.attempts.clear();
    if (this.doubtful.size > 0) this.doubtful.clear();
    if (this.oversized.size > 0) this.oversized.clear();
    if (this.lookedUp.size > 0) this.lookedUp.clear();
    this.extra = 0;
  }
}
