/** Calls that were made and have not got through to the ring, or to their end: what flush and drain wait for. */

export class OpenCalls {
  #open = 0;
  #idle: (() => void)[] = [];

  /** Counts as open until the work has settled. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#open += 1;
    try {
      return await work;
    } finally {
      this.#open -= 1;
      if (this.#open === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /** Resolves when none is open, and whoever waited for the last of them has gone on. */
  async none(): Promise<void> {
    while (this.#open > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
