/** Keeps the state of one read position, in memory or in the store; in the store a change is written only over the state it was made from. */
import { committed } from './commit.ts';
import type { ConsumerState } from './consumer-state.ts';
import { decodeState, encodeState } from './consumer-state.ts';
import type { Store } from './store.ts';
import { newToken } from './store.ts';

/** Changes the state; says whether the change must be remembered. It runs again on a newer state when another process was first. */
export type Mutation = (state: ConsumerState) => boolean;

export interface ConsumerKeeper {
  /** As last seen; it may be older than what other processes have written. */
  readonly state: ConsumerState;
  update(mutation: Mutation): Promise<void>;
  /** Looks whether another process has written; true when so. */
  refresh(): boolean;
  /** Forgets the name, unless another process writes to it at the same moment. */
  forget(): Promise<void>;
}

export class MemoryKeeper implements ConsumerKeeper {
  readonly state: ConsumerState;

  constructor(state: ConsumerState) {
    this.state = state;
  }

  update(mutation: Mutation): Promise<void> {
    mutation(this.state);
    return Promise.resolve();
  }

  refresh(): boolean {
    return false;
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }
}

export class StoreKeeper implements ConsumerKeeper {
  readonly #store: Store;
  readonly #name: string;
  state: ConsumerState;
  #token: number | null = null;

  /** `initial` counts when nobody has written under this name yet. */
  constructor(store: Store, name: string, initial: ConsumerState) {
    this.#store = store;
    this.#name = name;
    this.state = initial;
    this.refresh();
  }

  get exists(): boolean {
    return this.#token !== null;
  }

  async update(mutation: Mutation): Promise<void> {
    while (mutation(this.state)) {
      const token = newToken();
      let written = false;
      try {
        // `null` = only if there is none. The bytes are LMDB's until it has written: each attempt has its own.
        written = await committed(this.#store.consumers.put(this.#name, encodeState(this.state), token, this.#token as number));
      } finally {
        if (!written) this.#reload(); // what was changed here did not happen
      }
      if (!written) continue;
      this.#token = token;
      return;
    }
  }

  refresh(): boolean {
    this.#store.consumers.resetReadTxn();
    const entry = this.#store.consumers.getEntry(this.#name);
    const token = entry?.version ?? null;
    if (token === this.#token || entry === undefined) return false;
    this.#token = token;
    this.state = decodeState(entry.value);
    return true;
  }

  #reload(): void {
    this.#token = null;
    if (!this.refresh()) this.state = { ...this.state, pending: new Map(), members: new Map() }; // forgotten by another process meanwhile
  }

  async forget(): Promise<void> {
    if (this.#token !== null) await committed(this.#store.consumers.remove(this.#name, this.#token));
  }
}
