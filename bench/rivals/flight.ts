/** At most so many publishes in flight, the way a careful user of the client would write it. */

export class Flight {
  readonly #max: number;
  #open = 0;
  #wake: (() => void) | null = null;
  #error: unknown = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** Null = go on at once. */
  add(work: Promise<unknown>): Promise<void> | null {
    this.#open += 1;
    work.then(
      () => this.#done(),
      (error: unknown) => {
        this.#error ??= error;
        this.#done();
      },
    );
    return this.#open < this.#max ? null : this.#below(this.#max);
  }

  async drain(): Promise<void> {
    while (this.#open > 0) await this.#below(this.#open);
    if (this.#error !== null) throw new Error('a publish failed', { cause: this.#error });
  }

  #below(limit: number): Promise<void> {
    return this.#open < limit ? Promise.resolve() : new Promise((resolve) => (this.#wake = resolve));
  }

  #done(): void {
    this.#open -= 1;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
