/** Pauses of the garbage collector on this thread while a piece of work lasts. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

export class GcWatch {
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  async stop(elapsedMs: number): Promise<Record<string, number>> {
    // Entries arrive one turn after the pause.
    await setImmediate();
    this.#take(this.#observer.takeRecords());
    this.#observer.disconnect();
    return { gcPauses: this.#count, gcMaxMs: this.#maxMs, gcShare: this.#sumMs / elapsedMs };
  }

  #take(entries: readonly { readonly duration: number }[]): void {
    for (const { duration } of entries) {
      this.#count += 1;
      this.#sumMs += duration;
      this.#maxMs = Math.max(this.#maxMs, duration);
    }
  }
}
