/** Batches to publish again, oldest first, each when it is due; one timer for all of them. */
import type { Ticket } from './ticket.ts';

interface Entry {
  readonly ticket: Ticket;
  readonly batch: number;
  readonly dueMs: number;
}

export class RetryQueue {
  readonly #entries: Entry[] = [];
  readonly #due: () => void;
  #timer: NodeJS.Timeout | null = null;
  #timerDueMs = 0;

  /** `due` is called when an entry's time has come. */
  constructor(due: () => void) {
    this.#due = due;
  }

  get size(): number {
    return this.#entries.length;
  }

  get entries(): readonly { readonly ticket: Ticket; readonly batch: number }[] {
    return this.#entries;
  }

  /** False = it is not there any more. */
  remove(ticket: Ticket, batch: number): boolean {
    const at = this.#entries.findIndex((entry) => entry.ticket === ticket && entry.batch === batch);
    if (at >= 0) this.#entries.splice(at, 1);
    return at >= 0;
  }

  /** Kept in commit order, so that what is resent after a disconnect arrives as it was sent. */
  add(ticket: Ticket, batch: number, delayMs: number): void {
    const entry = { ticket, batch, dueMs: performance.now() + delayMs };
    let at = this.#entries.length;
    while (at > 0 && isBefore(entry, this.#entries[at - 1]!)) at -= 1;
    this.#entries.splice(at, 0, entry);
    if (delayMs > 0) this.#arm();
  }

  /** Publishes what is due; false = the broker took no more. */
  flush(send: (ticket: Ticket, batch: number) => boolean): boolean {
    const now = performance.now();
    for (let index = 0; index < this.#entries.length;) {
      const { ticket, batch, dueMs } = this.#entries[index]!;
      if (dueMs > now) {
        index += 1;
        continue;
      }
      if (!send(ticket, batch)) return false;
      this.#entries.splice(index, 1);
    }
    this.#arm();
    return true;
  }

  /** Takes everything out, for closing. */
  takeAll(): readonly { readonly ticket: Ticket; readonly batch: number }[] {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    return this.#entries.splice(0);
  }

  /** One timer, for the entry that is due first: one that comes later with a shorter delay moves it forward. */
  #arm(): void {
    if (this.#entries.length === 0) return;
    const next = this.#entries.reduce((least, { dueMs }) => Math.min(least, dueMs), Number.POSITIVE_INFINITY);
    if (this.#timer !== null) {
      if (this.#timerDueMs <= next) return;
      clearTimeout(this.#timer);
    }
    this.#timerDueMs = next;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#due();
        this.#arm();
      },
      Math.max(1, next - performance.now()),
    );
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  const difference = (left.ticket.sequence - right.ticket.sequence) | 0;
  return difference === 0 ? left.batch < right.batch : difference < 0;
}
