/** Publishes committed batches in order while the broker takes them, and again those that may not have been stored. */
import { failBatch, inDoubt, settleAcked } from './batch-outcomes.ts';
import type { Ack, AckedPlace } from './batch-outcomes.ts';
import { headersOf, splitBatch } from './batch-split.ts';
import { Circuit } from './circuit.ts';
import type { Parts } from './parts.ts';
import { Fifo } from '../memory/fifo.ts';
import { Doubts } from './recovery-doubts.ts';
import { RetryQueue } from './retry-queue.ts';
import type { Settler } from './settler.ts';
import { StrictLanes } from './strict-lanes.ts';
import { SubjectText } from './subject-text.ts';
import { Ticket } from './ticket.ts';
import type { MillraceError } from '../api/errors.ts';
import { BATCH_WORDS, BatchWord } from '../memory/layout.ts';
import { nextDelayMs } from '../resilience/retry.ts';

type Writable<T> = { -readonly [Member in keyof T]: T[Member] };

const NO_TICKET = new Ticket(-1);

export class Publisher {
  readonly #parts: Parts;
  readonly #settler: Settler;
  readonly #queue: Fifo<Ticket> = new Fifo(); // Committed, with batches that were not published yet.
  readonly #retries: RetryQueue;
  readonly #doubts: Doubts;
  readonly #strict: StrictLanes = new StrictLanes();
  readonly #circuit: Circuit;
  #spent: MillraceError | null = null; // A whole retry budget passed, and the broker took nothing.
  readonly #message: {
    subject: string;
    memory: Uint8Array;
    start: number;
    payloadStart: number;
    end: number;
    count: number;
    lead: number;
    expectedSequence: number;
  };
  /** Newest sequence that is known to be stored. */
  lastSequence = 0;
  readonly #subjectText: SubjectText;
  readonly #acked: Writable<AckedPlace>; // Of the call at work.
  #publishing = false;
  #closed: MillraceError | null = null;

  constructor(parts: Parts, settler: Settler) {
    this.#parts = parts;
    this.#settler = settler;
    this.#retries = new RetryQueue(() => this.publish());
    this.#subjectText = new SubjectText(parts.ring);
    this.#circuit = new Circuit(parts.options, parts.signals, () => this.publish());
    this.#message = { subject: '', memory: parts.ring.bytes, start: 0, payloadStart: 0, end: 0, count: 0, lead: 0, expectedSequence: -1 };
    this.#acked = { ticket: NO_TICKET, batch: 0, row: 0, subjectOf: (ticket, row) => this.#subject(ticket, row) };
    this.#doubts = new Doubts(parts, this.#retries, {
      messageId: (ticket, batch) => /\r\nNats-Msg-Id: ([^\r]*)\r\n/.exec(headersOf(parts.ring, this.#row(ticket, batch)))?.[1] ?? '',
      found: (ticket, batch, sequence) => {
        this.acked(ticket, batch, { sequence, duplicate: true });
        settler.batchSettled(ticket);
      },
      untold: (ticket, batch, error) => this.#fail(ticket, batch, error),
      resolved: () => this.publish(),
    });
  }

  enqueue(ticket: Ticket): void {
    this.#subjectText.forget(); // A later run of the same slab writes its subjects to the same place.
    if (this.#closed !== null) {
      this.#failRest(ticket, this.#closed);
      return;
    }
    this.#queue.push(ticket);
    this.publish();
  }

  /** First what must be published again, then new batches in commit order. */
  publish(): void {
    if (this.#publishing) return; // A broker that says `writable` inside `tryPublish` must not turn the order around.
    this.#publishing = true;
    this.#publishAll();
    this.#publishing = false;
  }

  /** Publishes the first batch of a slab that is not committed, on condition; false = not now. Never overtakes anything. */
  probe(ticket: Ticket, expectedSequence: number): boolean {
    if (this.#queue.length > 0 || this.#retries.size > 0 || !this.#strict.empty) return false;
    this.#subjectText.forget();
    this.#begin(ticket);
    this.#message.expectedSequence = expectedSequence;
    const sent = this.#put(ticket, 0);
    this.#message.expectedSequence = -1;
    return sent;
  }

  acked(ticket: Ticket, batch: number, ack: Ack): void {
    if (ack.sequence > this.lastSequence) this.lastSequence = ack.sequence;
    this.#circuit.taken();
    const place = this.#acked;
    place.ticket = ticket;
    place.batch = batch;
    place.row = this.#row(ticket, batch);
    settleAcked(this.#parts, place, ack);
    if (ticket.intake.strict) this.#passOn(ticket, batch);
  }

  /** Retries within the budget; a broken connection takes none of it, for the broker may be away for long. */
  notStored(ticket: Ticket, batch: number, error: MillraceError, again: boolean): void {
    this.#circuit.notTaken(error);
    if (error.outcome === 'unknown') {
      ticket.doubtful.add(batch);
      ticket.lookedUp.delete(batch);
    }
    if (error.code === 'MILLRACE_EVENT_TOO_LARGE' && this.#closed === null && this.#split(ticket, batch)) return;
    const attempts = (ticket.attempts.get(batch) ?? 0) + (error.code === 'MILLRACE_PUBLISH_UNKNOWN' ? 0 : 1);
    const delayMs = this.#delayMs(attempts, error);
    if (!again || this.#closed !== null || delayMs === null || ticket.intake.stopped) {
      if (again && delayMs === null && this.#circuit.open) this.#spent = error;
      this.#fail(ticket, batch, error);
      return;
    }
    ticket.attempts.set(batch, attempts);
    ticket.intake.book.addRetry();
    const row = this.#row(ticket, batch);
    const events = this.#parts.ring.words[row + BatchWord.count]!;
    if (this.#parts.signals.listens('retry'))
      this.#parts.signals.emit('retry', { subject: this.#subject(ticket, row), events, attempt: attempts + 1, error });
    this.#retries.add(ticket, batch, delayMs);
    if (delayMs === 0) queueMicrotask(() => this.publish()); // Many are reported at once after a disconnect: sort first, then send.
  }

  close(error: MillraceError): void {
    this.#closed = error;
    this.#doubts.close();
    this.#circuit.close();
    this.#failWaiting(error);
  }

  #publishAll(): void {
    if (this.#doubts.holds()) return;
    // The trials stand for all that wait: nobody's budget is longer than theirs.
    if (this.#spent !== null && this.#circuit.open) this.#failWaiting(this.#spent);
    this.#spent = null;
    if (!this.#retries.flush((ticket, batch) => this.#send(ticket, batch))) return;
    for (let ticket = this.#queue.first; ticket !== undefined; ticket = this.#queue.first) {
      while (ticket.next < ticket.batches) {
        if (ticket.next === 0) this.#begin(ticket);
        if (!(ticket.intake.strict ? this.#sendInLane(ticket, ticket.next) : this.#send(ticket, ticket.next))) return;
        ticket.next += 1;
      }
      this.#queue.shift();
    }
  }

  /** The broker's limit is smaller than when the batch was made. One that may be stored already is looked up first, where that can be done. */
  #split(ticket: Ticket, batch: number): boolean {
    const { ring, broker } = this.#parts;
    if (ring.words[this.#row(ticket, batch) + BatchWord.count]! < 2) return false;
    const inDoubt = ticket.doubtful.has(batch) && broker.readBack !== undefined && broker.duplicateWindowMs !== undefined;
    if (inDoubt && !ticket.lookedUp.has(batch)) {
      if (ticket.oversized.has(batch)) return false; // It was asked for and could not be told.
      ticket.oversized.add(batch);
      this.#retries.add(ticket, batch, 0);
    } else {
      const made = splitBatch(this.#parts, ticket, batch);
      if (made.length === 0) return false;
      if (ticket.intake.strict) this.#strict.split(this.#subject(ticket, this.#row(ticket, batch)), ticket, { batch, parts: made });
      for (const part of ticket.intake.strict ? made.slice(0, 1) : made) this.#retries.add(ticket, part, 0);
    }
    queueMicrotask(() => this.publish());
    return true;
  }

  /** For the first time, in strict order; true also when it has to wait for those of its subject before it. */
  #sendInLane(ticket: Ticket, batch: number): boolean {
    const subject = this.#subject(ticket, this.#row(ticket, batch));
    if (!this.#strict.enter(subject, ticket, batch)) return true;
    const sent = this.#send(ticket, batch);
    if (!sent) this.#strict.leave(subject, ticket, batch);
    return sent;
  }

  /** A batch in strict order has settled: the next of its subject goes. */
  #passOn(ticket: Ticket, batch: number): void {
    const next = this.#strict.leave(this.#subject(ticket, this.#row(ticket, batch)), ticket, batch);
    if (next === null) return;
    this.#retries.add(next.ticket, next.batch, 0);
    queueMicrotask(() => this.publish());
  }

  #begin(ticket: Ticket): void {
    ticket.sentAfter = this.lastSequence;
    ticket.sentAtMs = performance.now();
  }

  #send(ticket: Ticket, batch: number): boolean {
    if (!this.#circuit.tryPass()) return false;
    const sent = this.#put(ticket, batch);
    if (!sent) this.#circuit.withdrawn();
    return sent;
  }

  #put(ticket: Ticket, batch: number): boolean {
    const { ring, broker } = this.#parts;
    const row = this.#row(ticket, batch);
    const message = this.#message;
    message.subject = this.#subject(ticket, row);
    message.start = ring.words[row + BatchWord.start]! >>> 0;
    message.payloadStart = ring.words[row + BatchWord.payloadStart]! >>> 0;
    message.end = ring.words[row + BatchWord.end]! >>> 0;
    message.count = ring.words[row + BatchWord.count]!;
    message.lead = ring.words[row + BatchWord.lead]!;
    return broker.tryPublish(message, ticket.slab * ring.layout.slab.recordsMax + batch);
  }

  #delayMs(attempts: number, error: MillraceError): number | null {
    if (error.outcome === 'unknown') return attempts < this.#parts.options.maxAttempts ? 0 : null;
    return nextDelayMs(attempts, this.#parts.options, Math.random);
  }

  #failWaiting(error: MillraceError): void {
    for (const { ticket, batch } of [...this.#retries.takeAll(), ...this.#strict.takeAll()]) this.#fail(ticket, batch, error);
    for (const ticket of this.#queue.takeAll()) this.#failRest(ticket, error);
  }

  #failRest(ticket: Ticket, error: MillraceError): void {
    while (ticket.next < ticket.batches) {
      ticket.next += 1;
      this.#fail(ticket, ticket.next - 1, error);
    }
  }

  #fail(ticket: Ticket, batch: number, reason: MillraceError): void {
    const row = this.#row(ticket, batch);
    const error = ticket.doubtful.has(batch) && reason.outcome !== 'unknown' ? inDoubt(reason) : reason;
    if (failBatch(this.#parts, { ticket, batch, row, subject: this.#subject(ticket, row) }, error)) this.#settler.noteFailure();
    if (ticket.intake.strict) this.#passOn(ticket, batch);
    this.#settler.batchSettled(ticket);
  }

  #row({ slab }: Ticket, batch: number): number {
    const { ring } = this.#parts;
    return (ring.start(slab) + ring.shape(slab).batchStart) / 4 + batch * BATCH_WORDS;
  }

  #subject({ sequence }: Ticket, row: number): string {
    return this.#subjectText.of(sequence, row);
  }
}
