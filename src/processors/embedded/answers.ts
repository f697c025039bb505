/** Acks, naks and terms that are given and not yet written, and who waits until they are. */
import type { Change } from './consumer-state.ts';

export class Answers {
  #changes: Change[] = [];
  #given = 0;
  #written = 0;
  readonly #waiters: { readonly upTo: number; readonly resolve: () => void }[] = [];

  get count(): number {
    return this.#changes.length;
  }

  add(change: Change): void {
    this.#changes.push(change);
    this.#given++;
  }

  /** Runs `write` with what there is; when it fails, they stay. */
  async write(write: (changes: readonly Change[]) => Promise<void>): Promise<void> {
    const changes = this.#changes;
    this.#changes = [];
    try {
      await write(changes);
    } catch (error) {
      this.#changes = [...changes, ...this.#changes];
      throw error;
    }
    this.#count(changes.length);
  }

  /** Resolves when all given so far are written, or never can be. */
  async flush(): Promise<void> {
    if (this.#written === this.#given) return;
    await new Promise<void>((resolve) => this.#waiters.push({ upTo: this.#given, resolve }));
  }

  /** Nobody may wait for what will not be written any more. */
  abandon(): void {
    this.#count(this.#given - this.#written);
    this.#changes = [];
  }

  #count(count: number): void {
    this.#written += count;
    while (this.#waiters.length > 0 && this.#waiters[0]!.upTo <= this.#written) this.#waiters.shift()!.resolve();
  }
}
