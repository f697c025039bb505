/** The read position of one partition: what is handed over and not settled holds the committed position back, whatever comes after it. */

/** Settled places are thrown away in bulk, so that settling stays cheap. */
const COMPACT_AT = 1_024;

export interface Place {
  readonly position: PartitionPosition;
  readonly offset: number;
  settled: boolean;
}

export class PartitionPosition {
  readonly partition: number;
  /** Offset of the record to be handed over next. */
  next: number;
  /** Offset last committed, as far as we know; -1 = none. */
  committed: number;
  /** The partition is somebody else's now: what is settled late counts for nothing. */
  revoked = false;
  /** Handed over and not settled. */
  inHand = 0;
  readonly #places: Place[] = [];
  #head = 0;

  constructor(partition: number, next: number, committed: number) {
    this.partition = partition;
    this.next = next;
    this.committed = committed;
  }

  take(offset: number): Place {
    const place: Place = { position: this, offset, settled: false };
    this.#places.push(place);
    this.next = offset + 1;
    this.inHand++;
    return place;
  }

  /** A record that does not match, or none at all (compaction, control records): nothing waits for it. */
  skipTo(next: number): void {
    if (next > this.next) this.next = next;
  }

  /** True when it was not settled before. */
  settle(place: Place): boolean {
    if (place.settled) return false;
    place.settled = true;
    this.inHand--;
    while (this.#head < this.#places.length && this.#places[this.#head]!.settled) this.#head++;
    if (this.#head >= COMPACT_AT) {
      this.#places.splice(0, this.#head);
      this.#head = 0;
    }
    return true;
  }

  /** All below it is settled. */
  get committable(): number {
    return this.#head < this.#places.length ? this.#places[this.#head]!.offset : this.next;
  }
}
