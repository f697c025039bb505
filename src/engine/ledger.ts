/** Counts what became of every event, for one call and for the engine it belongs to, so that the books always close. */
import type { Ledger } from '../api/report.ts';

export type LedgerEntry = 'accepted' | 'acked' | 'duplicates' | 'rejected' | 'failed' | 'unknown' | 'dropped';

export class LedgerBook {
  readonly #parent: LedgerBook | null;
  accepted = 0;
  acked = 0;
  duplicates = 0;
  rejected = 0;
  failed = 0;
  /** Part of `failed`: may have been stored. */
  unknown = 0;
  dropped = 0;
  // Not part of the ledger, but counted at the same places.
  retries = 0;
  messages = 0;
  bytesOut = 0;
  brokerDuplicates = 0;
  conflicts = 0;

  constructor(parent: LedgerBook | null = null) {
    this.#parent = parent;
  }

  add(entry: LedgerEntry, events: number): void {
    this[entry] += events;
    this.#parent?.add(entry, events);
  }

  addMessage(bytes: number): void {
    this.messages += 1;
    this.bytesOut += bytes;
    this.#parent?.addMessage(bytes);
  }

  addRetry(): void {
    this.retries += 1;
    this.#parent?.addRetry();
  }

  addBrokerDuplicates(events: number): void {
    this.brokerDuplicates += events;
    this.#parent?.addBrokerDuplicates(events);
  }

  addConflicts(events: number): void {
    this.conflicts += events;
    this.#parent?.addConflicts(events);
  }

  /** Admitted and not settled. Negative would be an event settled twice. */
  get inFlight(): number {
    return this.accepted - this.acked - this.duplicates - this.rejected - this.failed - this.dropped;
  }

  snapshot(): Ledger {
    const { accepted, acked, duplicates, rejected, failed, unknown, dropped, inFlight } = this;
    return { accepted, acked, duplicates, rejected, failed, unknown, dropped, inFlight };
  }
}
