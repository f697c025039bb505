/** Deliveries for `for await`: a few lie ready, so the reader of the loop sets the pace and waits for nobody while there are some. */
import type { Consumer } from './inbound.ts';
import type { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';

/** Handed over ahead of the loop; they count as in hand. */
const READY_MAX = 256;

export class IteratedDeliveries implements Consumer {
  /** Nobody acks what is read without acks: it has settled when it lies ready. */
  readonly auto: boolean;
  readonly #waiting: { readonly resolve: (result: IteratorResult<Delivery>) => void; readonly reject: (error: unknown) => void }[] = [];
  readonly #ready: Delivery[] = [];
  #head = 0;
  #taken: (() => void) | null = null;
  #ended = false;
  #finished = false;
  #error: MillraceError | null = null;

  constructor({ noAck }: { readonly noAck: boolean }) {
    this.auto = noAck;
  }

  /** A promise when enough lie ready: the next event comes when half of them are taken. */
  take(delivery: Delivery): Promise<void> | void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.resolve({ done: false, value: delivery });
      return undefined;
    }
    this.#ready.push(delivery);
    if (this.#ready.length - this.#head < READY_MAX) return undefined;
    return new Promise<void>((taken) => (this.#taken = taken));
  }

  /** Nothing more will come; what lies ready is handed over first. */
  finish(): void {
    this.#finished = this.#ended = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  /** Closed (null): what lies ready is not handed over any more. An error comes after it. */
  end(error: MillraceError | null): void {
    if (this.#finished && error === null) return;
    this.#ended = true;
    this.#error = error;
    if (error === null) this.#ready.length = this.#head = 0;
    this.#wakeFeeder();
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (error === null) resolve({ done: true, value: undefined });
      else reject(error);
    }
  }

  iterator(close: () => Promise<void>): AsyncIterator<Delivery> {
    return {
      next: () => this.#next(),
      return: async () => {
        await close();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<IteratorResult<Delivery>> {
    if (this.#head < this.#ready.length) {
      const value = this.#ready[this.#head]!;
      this.#head += 1;
      if (this.#head * 2 >= READY_MAX) {
        this.#ready.splice(0, this.#head);
        this.#head = 0;
        this.#wakeFeeder();
      }
      return Promise.resolve({ done: false, value });
    }
    this.#ready.length = this.#head = 0;
    this.#wakeFeeder();
    if (this.#ended) return this.#error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #wakeFeeder(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
  }
}
