/**
 * A batch that may have been stored is sent again only while the broker still knows its id. After that it is looked up first: what is found is
 * acked, the rest is sent. Where the broker will not show them for good, each ends as unknown, with the broker's reason.
 */
import type { Parts } from './parts.ts';
import type { RetryQueue } from './retry-queue.ts';
import type { Ticket } from './ticket.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { InboundMessage } from '../processors/broker.ts';

const MARGIN_MS_MAX = 2_000; // Between asking here and the message's arrival.
const CLOCKS_MS_MAX = 60_000; // The broker's clock may be another.
const FAR_MS = 365 * 24 * 3_600_000;
const RETRY_MS = 1_000;

export interface DoubtActions {
  /** `Nats-Msg-Id` of a batch. */
  messageId(ticket: Ticket, batch: number): string;
  /** It was stored. */
  found(ticket: Ticket, batch: number, sequence: number): void;
  /** Nobody can tell whether it was stored. */
  untold(ticket: Ticket, batch: number, error: MillraceError): void;
  /** Sends go on. */
  resolved(): void;
}

interface Doubt {
  readonly ticket: Ticket;
  readonly batch: number;
}

export class Doubts {
  readonly #parts: Parts;
  readonly #retries: RetryQueue;
  readonly #actions: DoubtActions;
  #reading = false;
  #closed = false;

  constructor(parts: Parts, retries: RetryQueue, actions: DoubtActions) {
    this.#parts = parts;
    this.#retries = retries;
    this.#actions = actions;
  }

  /** Asked before anything is sent: true = nothing may be sent now, `resolved` follows. Costs one comparison while nothing is retried. */
  holds(): boolean {
    if (this.#reading) return true;
    if (this.#retries.size === 0) return false;
    const { broker } = this.#parts;
    const { duplicateWindowMs: windowMs } = broker;
    if (windowMs === undefined || broker.readBack === undefined || this.#closed) return false;
    const limitMs = performance.now() - windowMs + Math.min(MARGIN_MS_MAX, windowMs / 4);
    const stale = this.#retries.entries.filter(
      ({ ticket, batch }) =>
        (ticket.sentAtMs < limitMs || ticket.oversized.has(batch)) && ticket.doubtful.has(batch) && !ticket.lookedUp.has(batch),
    );
    if (stale.length === 0) return false;
    this.#reading = true;
    void this.#resolve(stale);
    return true;
  }

  close(): void {
    this.#closed = true;
  }

  async #resolve(stale: readonly Doubt[]): Promise<void> {
    const stored = new Map<string, number>(stale.map(({ ticket, batch }) => [this.#actions.messageId(ticket, batch), 0]));
    const refused = await this.#read(stale, stored);
    this.#reading = false;
    if (this.#closed) return; // The publisher's close has settled them.
    for (const { ticket, batch } of stale) {
      const sequence = stored.get(this.#actions.messageId(ticket, batch)) ?? 0;
      if (sequence === 0 && refused === null) ticket.lookedUp.add(batch);
      else if (!this.#retries.remove(ticket, batch)) continue;
      else if (sequence > 0) this.#actions.found(ticket, batch, sequence);
      else this.#actions.untold(ticket, batch, refused!);
    }
    this.#actions.resolved();
  }

  /** Until all was read: null; or until reading is refused in a way that will not change. */
  async #read(stale: readonly Doubt[], stored: Map<string, number>): Promise<MillraceError | null> {
    const { signals, broker } = this.#parts;
    while (!this.#closed) {
      try {
        await broker.readBack!(this.#request(stale, stored));
        return null;
      } catch (error) {
        const refused = error instanceof MillraceError && !error.retryable ? error : null;
        const fate =
          refused === null ? 'not sent again before the stream has been looked at' : 'given up as unknown, the stream is not shown';
        if (!this.#closed) signals.emit('warning', `batches that may have been stored are ${fate}: ${messageOf(error)}`);
        if (refused !== null) return refused;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return null;
  }

  /** What is stored of them comes after what was acked, and after the time, at which their slab was first sent. */
  #request(stale: readonly Doubt[], stored: Map<string, number>): Parameters<NonNullable<Parts['broker']['readBack']>>[0] {
    const after = Math.min(...stale.map(({ ticket }) => ticket.sentAfter));
    const agoMs = performance.now() - Math.min(...stale.map(({ ticket }) => ticket.sentAtMs));
    const message = (read: InboundMessage): void => {
      const id = read.header('Nats-Msg-Id');
      if (id !== undefined && stored.get(id) === 0) stored.set(id, read.sequence);
    };
    if (after > 0) return { fromSequence: after + 1, fromTimeMs: Date.now() + FAR_MS, headersOnly: true, message };
    return { fromSequence: null, fromTimeMs: Date.now() - agoMs - CLOCKS_MS_MAX, headersOnly: true, message };
  }
}
