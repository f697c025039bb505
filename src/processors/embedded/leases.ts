/** What one reader has been handed and not settled; it counts against `maxInFlight` until it is answered or its lease ends. */
import type { Change, Claim } from './consumer-state.ts';

interface Lease {
  readonly claim: Claim;
  until: number;
}

export class Leases {
  readonly #leases = new Map<number, Lease>();

  get count(): number {
    return this.#leases.size;
  }

  add(claim: Claim, until: number): void {
    this.#leases.set(claim.sequence, { claim, until });
  }

  has(claim: Claim): boolean {
    return this.#leases.get(claim.sequence)?.claim === claim;
  }

  /** Others may have it by now, so it is no longer ours to count. */
  dropExpired(now: number): void {
    for (const [sequence, { until }] of this.#leases) if (until <= now) this.#leases.delete(sequence);
  }

  /** Takes the first answer to a claim; false when it does not count. After the end of the lease only an ack still does. */
  answer(claim: Claim, change: Change): boolean {
    if (claim.settled) return false;
    claim.settled = change.kind !== 'extend';
    if (!this.has(claim)) return change.kind === 'done';
    if (change.kind === 'extend') this.#leases.get(claim.sequence)!.until = change.atMs;
    else this.#leases.delete(claim.sequence);
    return true;
  }
}
