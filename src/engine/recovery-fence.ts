/**
 * The first publish after a read-back is stored only when nothing was stored since. Until it is, no slab is committed; when it is refused, what
 * was stored meanwhile is read, and every slab that has run runs again.
 */
import type { Ack } from './batch-outcomes.ts';
import type { Ticket } from './ticket.ts';
import { messageOf } from '../api/errors.ts';
import type { MillraceError } from '../api/errors.ts';

/** Other producers may move the stream at any time: after so many refusals it goes on without the fence, and says so. */
const ROUNDS_MAX = 3;
const MOVED = 10_071;
const RETRY_MS = 100;

export interface FenceActions {
  readonly attemptsMax: number;
  /** Sends the first batch of a slab; its token, or -1 = not now (`resume` is called later). */
  send(ticket: Ticket, expectedSequence: number): number;
  /** Commits the slab, whose first batch has had this outcome. */
  passed(ticket: Ticket, outcome: Ack | MillraceError): void;
  /** Reads from this sequence on; resolves with the newest. */
  readOn(fromSequence: number): Promise<number>;
  /** Nothing that has run and is not committed counts. */
  runAgain(): void;
  /** Commits what waits. */
  commit(): void;
  warning(message: string): void;
}

export class Fence {
  /** Of the message that is out, -1 = none: what acks are compared with. */
  token = -1;
  readonly #actions: FenceActions;
  #expected = -1; // -1 = there is no fence.
  #ticket: Ticket | null = null;
  #reading = false;
  #closed = false;
  #rounds = 0;
  #attempts = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(actions: FenceActions) {
    this.#actions = actions;
  }

  /** `last`: all up to this sequence was read. */
  raise(last: number): void {
    if (this.#closed) return;
    this.#expected = last;
    this.#rounds = 0;
  }

  /** Hot only in that it is asked for each slab: may it be committed? */
  admits(ticket: Ticket, batches: number): boolean {
    if (this.#expected < 0 || batches === 0) return true;
    if (this.#ticket === null && !this.#reading) {
      this.#ticket = ticket;
      this.#attempts = 0;
      this.resume();
    }
    return false;
  }

  /** The broker has room, or is back. */
  resume(): void {
    if (this.#ticket === null || this.token >= 0 || this.#timer !== null) return;
    this.token = this.#actions.send(this.#ticket, this.#expected);
  }

  acked(ack: Ack): void {
    this.#lower(ack);
  }

  failed(error: MillraceError): void {
    if (error.context['brokerCode'] === MOVED) {
      this.#moved();
      return;
    }
    this.#attempts += 1;
    if (this.#closed || !error.retryable || this.#attempts >= this.#actions.attemptsMax) {
      this.#lower(error);
      return;
    }
    this.token = -1;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.resume();
    }, RETRY_MS);
  }

  /** Sent again with the same id: the broker knows it when it was stored, and compares the sequence when it was not. */
  unknown(error: MillraceError): void {
    if (this.#closed) {
      this.#lower(error);
      return;
    }
    this.#ticket!.doubtful.add(0);
    this.token = -1;
    queueMicrotask(() => this.resume());
  }

  /** The engine closes: nothing waits any more. A message that is out settles as the broker's close reports it. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#expected = -1;
    if (this.token >= 0) return;
    this.#ticket = null;
    this.#actions.commit();
  }

  #lower(outcome: Ack | MillraceError): void {
    const ticket = this.#ticket!;
    this.#ticket = null;
    this.token = -1;
    this.#expected = -1;
    this.#actions.passed(ticket, outcome);
  }

  #moved(): void {
    this.#ticket!.doubtful.delete(0); // If it was stored, it is among what is read now.
    this.#ticket = null;
    this.token = -1;
    this.#reading = true;
    this.#rounds += 1;
    this.#actions.readOn(this.#expected + 1).then(
      (last) => this.#readOn(Math.max(last, this.#expected)),
      (error: unknown) => this.#readOn(-1, error),
    );
  }

  #readOn(last: number, error?: unknown): void {
    this.#reading = false;
    if (this.#closed) {
      this.#actions.commit();
      return;
    }
    this.#expected = this.#rounds < ROUNDS_MAX ? last : -1;
    if (error !== undefined)
      this.#actions.warning(`what other producers stored could not be read back, copies of it may be stored again: ${messageOf(error)}`);
    else if (this.#expected < 0)
      this.#actions.warning(
        `other producers moved the stream ${ROUNDS_MAX} times between reading it back and the first publish; copies of what they store at this moment may be stored again`,
      );
    this.#actions.runAgain();
  }
}
