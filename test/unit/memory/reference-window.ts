/** What the dedupe window must do, as simply as it can be said: two maps and a clock. */
interface Entry {
  owner: number;
  readonly body: number;
  live: boolean;
}
export interface ReferenceClaim {
  readonly result: 'fresh' | 'known' | 'pending';
  readonly owner: number;
  readonly conflict: boolean;
}

export class ReferenceWindow {
  settled: number;
  readonly #capacity: number;
  readonly #windowMs: number;
  #current = new Map<number, Entry>();
  #previous = new Map<number, Entry>();
  #currentFromMs = 0;
  #previousFromMs = 0;
  #dropped = false;
  #early = 0;

  constructor({ capacity, windowMs, first }: { readonly capacity: number; readonly windowMs: number; readonly first: number }) {
    this.#capacity = capacity;
    this.#windowMs = windowMs;
    this.settled = first;
  }

  claim(id: number, body: number, owner: number): ReferenceClaim {
    const entry = this.#live(id);
    if (entry !== undefined) {
      const known = ((entry.owner - this.settled) | 0) < 0;
      return { result: known ? 'known' : 'pending', owner: entry.owner, conflict: entry.body !== body };
    }
    this.#current.set(id, { owner, body, live: true });
    return { result: 'fresh', owner, conflict: false };
  }

  insert(id: number, body: number): void {
    const { result } = this.claim(id, body, (this.settled - 1) | 0);
    if (result === 'pending') this.#live(id)!.owner = (this.settled - 1) | 0;
  }

  rollBack(owner: number): number {
    const entries = [...this.#current.values(), ...this.#previous.values()].filter((entry) => entry.live && entry.owner === owner);
    for (const entry of entries) entry.live = false;
    return entries.length;
  }

  rotate(nowMs: number): boolean {
    const due = nowMs - this.#currentFromMs >= this.#windowMs;
    const full = this.#current.size >= this.#capacity / 2;
    if (!due && !full) return false;
    if (!full && this.#current.size === 0 && this.#previous.size === 0) {
      this.#currentFromMs = nowMs;
      return false;
    }
    if (this.#previous.size > 0) {
      this.#dropped = true;
      if (!due) this.#early += 1;
    }
    [this.#previous, this.#current] = [this.#current, new Map<number, Entry>()];
    [this.#previousFromMs, this.#currentFromMs] = [this.#currentFromMs, nowMs];
    return true;
  }

  stats(nowMs: number): { readonly ids: number; readonly effectiveMs: number; readonly earlyRotations: number } {
    return {
      ids: Math.min(this.#capacity, this.#current.size + this.#previous.size),
      effectiveMs: this.#dropped ? Math.min(this.#windowMs, nowMs - this.#previousFromMs) : this.#windowMs,
      earlyRotations: this.#early,
    };
  }

  #live(id: number): Entry | undefined {
    return [this.#current.get(id), this.#previous.get(id)].find((entry) => entry?.live === true);
  }
}
