/**
 * Stops sending to a broker that fails again and again, and lets one batch through at a time to see whether it is back.
 * Asked once per batch, never per event. It owns no timer: the clock is given, and the caller asks when to come again.
 */

export type BreakerState = 'closed' | 'open' | 'halfOpen';

export interface BreakerOptions {
  /** Retryable failures in a row that open it. */
  readonly failuresMax: number;
  /** How long it stays open; doubled each time a probe fails, up to openMaxMs. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  readonly onState?: (state: BreakerState, failures: number) => void;
}

export class Breaker {
  readonly #options: Required<BreakerOptions>;
  #state: BreakerState = 'closed';
  #failures = 0;
  /** Times it opened since it was last closed. */
  #openings = 0;
  #openUntil = 0;
  #probing = false;

  constructor(options: BreakerOptions) {
    this.#options = { now: () => performance.now(), onState: () => undefined, ...options };
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** May a batch be sent now? A yes while half open is the probe: its outcome must be told. */
  tryPass(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'open') {
      if (this.#options.now() < this.#openUntil) return false;
      this.#enter('halfOpen');
    }
    if (this.#probing) return false;
    this.#probing = true;
    return true;
  }

  /** Milliseconds until `tryPass` can say yes; 0 = now. While a probe is out it is the probe's outcome that counts. */
  waitMs(): number {
    return this.#state === 'open' ? Math.max(0, this.#openUntil - this.#options.now()) : 0;
  }

  /** The broker answered, be it with a refusal that no retry can help: it is alive. */
  succeeded(): void {
    this.#failures = 0;
    this.#openings = 0;
    this.#probing = false;
    if (this.#state !== 'closed') this.#enter('closed');
  }

  /** A retryable failure. Those of batches sent before it opened come late, and change nothing while it is open. */
  failed(): void {
    this.#failures += 1;
    if (this.#state === 'open') return;
    if (this.#state === 'halfOpen' ? !this.#probing : this.#failures < this.#options.failuresMax) return;
    this.#probing = false;
    this.#openings += 1;
    const openMs = Math.min(this.#options.openMaxMs, this.#options.openMs * 2 ** Math.min(this.#openings - 1, 30));
    this.#openUntil = this.#options.now() + openMs;
    this.#enter('open');
  }

  /** The probe was given up before its outcome was known (aborted, or never sent): another may go. */
  abandoned(): void {
    this.#probing = false;
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#options.onState(state, this.#failures);
  }
}
