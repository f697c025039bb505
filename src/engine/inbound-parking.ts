/** Events that wait for their next attempt: each comes back once, after its delay, unless all of it has ended. */
import type { Retry } from './inbound-message.ts';

export class Parking {
  readonly #release: (retry: Retry) => void;
  readonly #timers: Set<NodeJS.Timeout> = new Set();

  constructor(release: (retry: Retry) => void) {
    this.#release = release;
  }

  park(retry: Retry, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#release(retry);
    }, delayMs);
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
