/** Decides what follows when batches settle: the rest of a slab, copies whose owner failed, and at last its release. */
import { settleDuplicates } from './batch-outcomes.ts';
import type { Parts } from './parts.ts';
import { prepareRest, prepareRetake } from './run-results.ts';
import type { Fill } from './run-results.ts';
import { SequenceLine } from './sequence-line.ts';
import type { Ticket } from './ticket.ts';
import { TENTATIVE_WORDS } from '../memory/layout.ts';

export interface SettleActions {
  run(ticket: Ticket): void;
  released(): void;
}

export class Settler {
  readonly #parts: Parts;
  readonly #actions: SettleActions;
  readonly #line: SequenceLine;
  readonly #waiting: Ticket[] = []; // All batches settled, but copies of ids that another slab has claimed; in place, so many:
  #waitingCount = 0;
  #failures = 0;
  #settling = false;

  constructor(parts: Parts, actions: SettleActions) {
    this.#parts = parts;
    this.#actions = actions;
    // Claims of failed batches are rolled back before this moves the watermark: never the other way round.
    this.#line = new SequenceLine((sequence) => parts.ring.settleBelow(sequence));
  }

  enter(ticket: Ticket, sequence: number, fill: Fill): void {
    ticket.begin(fill.intake, this.#line.enter(sequence), fill.callers);
    ticket.failuresSeen = this.#failures;
    if (fill.early !== undefined) ticket.early.push(fill.early);
  }

  isSettledBelow(sequence: number): boolean {
    return this.#line.isFinishedBelow(sequence);
  }

  /** Claims were rolled back: copies that were held for duplicates of them must be taken again. */
  noteFailure(): void {
    this.#failures += 1;
  }

  batchSettled(ticket: Ticket): void {
    ticket.open -= 1;
    if (ticket.open === 0) this.runSettled(ticket);
  }

  /** Every batch of a run has settled. */
  runSettled(ticket: Ticket): void {
    ticket.forgetAttempts();
    if (!ticket.recordsDone) {
      prepareRest(this.#parts.ring, ticket);
      this.#actions.run(ticket);
      return;
    }
    ticket.place.primary = true;
    if (ticket.tentatives.length === 0 && this.#waitingCount === 0) return this.#finish(ticket);
    this.#waiting[this.#waitingCount++] = ticket;
    this.#settleWaiting();
  }

  /** One that finishes can let another finish. */
  #settleWaiting(): void {
    if (this.#settling) return;
    this.#settling = true;
    let kept = 0;
    for (let index = 0; index < this.#waitingCount; index += 1) {
      const ticket = this.#waiting[index]!;
      if (ticket.tentatives.length === 0 || this.#line.isPrimaryThrough(ticket.waitsFor)) this.#finish(ticket);
      else this.#waiting[kept++] = ticket; // Those that are added meanwhile come behind `index`.
    }
    this.#waitingCount = kept;
    this.#settling = false;
  }

  /** No failure since its copies were found means that their owners were acked: duplicates. Else exactly these records run again. */
  #finish(ticket: Ticket): void {
    const rows = ticket.tentatives.length / TENTATIVE_WORDS;
    if (rows > 0 && (ticket.retakes > 0 || ticket.failuresSeen !== this.#failures) && !ticket.intake.stopped) {
      if (ticket.failuresSeen !== this.#failures) ticket.retakes = rows;
      ticket.failuresSeen = this.#failures;
      ticket.place.primary = false; // Its new claims are pending again.
      prepareRetake(this.#parts.ring, ticket);
      this.#actions.run(ticket);
      return;
    }
    if (rows > 0) settleDuplicates(this.#parts, ticket);
    const { ring } = this.#parts;
    ring.release(ticket.slab);
    this.#line.finish(ticket.place);
    ticket.intake.released(ticket.sequence, ticket.linesAfter);
    this.#actions.released();
  }
}
