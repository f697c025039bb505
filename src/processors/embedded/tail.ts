/** Tells readers that there is more: at once for this process's own publishes, within 10 ms for those of others. */
import type { Store } from './store.ts';
import { readHead } from './store.ts';

const POLL_MS = 10;
/** Positions of other processes are looked at less often: they matter when a lease has ended. */
const POLLS_PER_REFRESH = 10;

export interface TailListener {
  /** There are new messages. */
  wake(): void;
  /** Look whether other processes have changed the position. */
  refresh(): void;
  /** The store can no longer be read. */
  fail(error: unknown): void;
}

export class Tail {
  readonly #store: Store;
  readonly #listeners = new Set<TailListener>();
  #next: number;
  #polls = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(store: Store) {
    this.#store = store;
    this.#next = readHead(store).next;
  }

  add(listener: TailListener): void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(this.#poll, POLL_MS);
  }

  remove(listener: TailListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.close();
  }

  /** Cheap: one read of a small record. */
  readonly check = (): void => {
    if (this.#listeners.size > 0) this.#tell(() => this.#look());
  };

  readonly #poll = (): void => {
    this.#tell(() => {
      this.#look();
      if (++this.#polls % POLLS_PER_REFRESH === 0) for (const listener of this.#listeners) listener.refresh();
    });
  };

  #look(): void {
    const { next } = readHead(this.#store);
    if (next === this.#next) return;
    this.#next = next;
    for (const listener of this.#listeners) listener.wake();
  }

  /** A timer has no caller to throw to: the readers end with the error. */
  #tell(work: () => void): void {
    try {
      work();
    } catch (error) {
      for (const listener of [...this.#listeners]) listener.fail(error);
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
