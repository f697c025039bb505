/** Deliveries for `for await`: one is handed out when it is asked for, so the reader of the loop sets the pace. */
import type { Consumer } from './inbound.ts';
import type { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';

export class IteratedDeliveries implements Consumer {
  readonly auto = false;
  #waiting: ((result: IteratorResult<Delivery>) => void)[] = [];
  #offered: { readonly delivery: Delivery; readonly taken: () => void } | null = null;
  #ended = false;
  #error: MillraceError | null = null;

  /** Resolves when the loop has taken it: the next event comes after that. */
  take(delivery: Delivery): Promise<void> | void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next({ done: false, value: delivery });
      return undefined;
    }
    return new Promise<void>((taken) => (this.#offered = { delivery, taken }));
  }

  end(error: MillraceError | null): void {
    this.#ended = true;
    this.#error = error;
    this.#offered?.taken();
    this.#offered = null;
    for (const wake of this.#waiting.splice(0)) wake({ done: true, value: undefined });
  }

  iterator(close: () => Promise<void>): AsyncIterator<Delivery> {
    return {
      next: async () => this.#next(),
      return: async () => {
        await close();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<Delivery>> {
    if (this.#offered !== null) {
      const { delivery, taken } = this.#offered;
      this.#offered = null;
      taken();
      return { done: false, value: delivery };
    }
    if (this.#ended) {
      if (this.#error !== null) throw this.#error;
      return { done: true, value: undefined };
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
