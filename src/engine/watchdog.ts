/** Ends a worker whose user code has been on one record for too long; its slab then counts as crashed. */
import { SlabState, SlabWord } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

export interface Thread {
  readonly threadId: number;
  terminate(): Promise<number>;
}

export class Watchdog {
  readonly #ring: Ring;
  readonly #timeoutMs: number;
  readonly #threads: () => readonly Thread[];
  readonly #beats: Int32Array; // Last heartbeat seen of each slab, and when it was new.
  readonly #beatMs: Float64Array;
  readonly #stuck: Set<number> = new Set(); // Slabs whose worker was ended here.
  #timer: NodeJS.Timeout | null = null;

  /** `timeoutMs` 0 = it never ends anything. */
  constructor(ring: Ring, timeoutMs: number, threads: () => readonly Thread[]) {
    this.#ring = ring;
    this.#timeoutMs = timeoutMs;
    this.#threads = threads;
    this.#beats = new Int32Array(ring.layout.slabs + 1);
    this.#beatMs = new Float64Array(ring.layout.slabs + 1);
  }

  watch(): void {
    if (this.#timer !== null || this.#timeoutMs === 0) return;
    this.#timer = setInterval(
      () => {
        for (let slab = 0; slab <= this.#ring.layout.slabs; slab += 1) if (this.#isStuck(slab)) this.#end(slab);
      },
      Math.max(10, this.#timeoutMs / 4),
    );
    this.#timer.unref();
  }

  /** What ended the slab's worker: `error`, or that it gave no sign of life. */
  reasonOf(slab: number, error: unknown): unknown {
    return this.forget(slab) ? new Error(`no sign of life for ${this.#timeoutMs} ms (workerTimeout)`) : error;
  }

  /** The slab is through; true = its worker had been ended. */
  forget(slab: number): boolean {
    return this.#stuck.delete(slab);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #end(slab: number): void {
    const holder = this.#ring.holder(slab);
    this.#stuck.add(slab);
    void this.#threads()
      .find((thread) => thread.threadId === holder)
      ?.terminate();
  }

  #isStuck(slab: number): boolean {
    const header = this.#ring.start(slab) / 4;
    // Pairs with the worker's stores around user code: -1 = our own stages are at work, which cannot hang. The word of a slab that is not at work means nothing.
    if (this.#ring.state(slab) !== SlabState.working || Atomics.load(this.#ring.words, header + SlabWord.suspect) === -1) {
      this.#beatMs[slab] = 0;
      return false;
    }
    const beat = Atomics.load(this.#ring.words, header + SlabWord.heartbeat);
    const now = performance.now();
    if (beat !== this.#beats[slab] || this.#beatMs[slab] === 0) {
      this.#beats[slab] = beat;
      this.#beatMs[slab] = now;
      return false;
    }
    return now - this.#beatMs[slab]! > this.#timeoutMs;
  }
}
