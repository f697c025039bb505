/** Hands slabs to the Piscina pool, or runs the same stages on this thread; says when each is complete or its worker died. */
import { readFileSync } from 'node:fs';
import { Piscina } from 'piscina';
import { loadUserCode } from '../../workers/user-code.ts';
import { SlabRunner } from '../../workers/runner.ts';
import type { WorkerSetup } from '../../workers/entry.ts';
import { messageOf } from '../api/errors.ts';
import { HeaderWord, SlabState, SlabWord } from '../memory/layout.ts';
import type { PipelineDescription } from '../memory/pipeline.ts';
import type { Ring } from '../memory/ring.ts';
import type { DedupeWindow } from '../memory/window.ts';

const SLOT_WORDS = 32;
/** So a worker never waits for its next slab while main is busy, or itself waits for a core: 2 left a worker idle a third of the time on two busy cores. */
const TASKS_PER_WORKER = 8;

export interface DispatchListener {
  completed(slab: number): void;
  /** The slab's worker died, or threw: nothing of the run counts. */
  crashed(slab: number, error: unknown): void;
  warning(message: string): void;
}

export interface DispatchOptions {
  readonly workers: number;
  readonly windowCapacity: number;
  readonly workerTimeoutMs: number;
  readonly workerHeapMiB: number;
}

export class Dispatcher {
  readonly #ring: Ring;
  readonly #listener: DispatchListener;
  readonly #makeInline: () => SlabRunner;
  #madeInline: SlabRunner | null = null;
  readonly #pool: Piscina | null;
  readonly #workers: number;
  #running = 0;
  #watchdog: NodeJS.Timeout | null = null;
  readonly #beats: Int32Array; // Last heartbeat seen of each slab, and when it was new.
  readonly #beatMs: Float64Array;
  readonly #timeoutMs: number;
  readonly #stuck: Set<number> = new Set(); // Slabs whose worker was ended here.
  crashes = 0;

  constructor(ring: Ring, window: DedupeWindow | null, options: DispatchOptions, listener: DispatchListener) {
    this.#ring = ring;
    this.#listener = listener;
    this.#workers = options.workers;
    this.#timeoutMs = options.workerTimeoutMs;
    this.#makeInline = () => new SlabRunner(ring, ring.layout.workerSlots - 1, window, kernelModule());
    setImmediate(() => this.#inline); // While the broker is being connected to, which waits for the network and not for this thread.
    this.#beats = new Int32Array(ring.layout.slabs + 1);
    this.#beatMs = new Float64Array(ring.layout.slabs + 1);
    this.#pool = options.workers === 0 ? null : makePool(ring, options);
    this.#pool?.on('workerCreate', () => this.#freeDeadSlots());
    this.#pool?.on('error', (error: unknown) => this.#diedIdle(error));
  }

  get #inline(): SlabRunner {
    return (this.#madeInline ??= this.#makeInline());
  }

  /** True while a worker would start at once on one more slab. */
  get idle(): boolean {
    return this.#running < Math.max(1, this.#workers);
  }

  /** The slab is `waiting`; it will be completed or crashed, never during this call. */
  dispatch(slab: number): void {
    this.#running += 1;
    if (this.#pool === null) {
      setImmediate(() => this.#runInline(slab)); // Between slabs the event loop turns: acks come in, signals are heard.
      return;
    }
    this.#watch();
    this.#pool.run(slab).then(
      () => this.#completed(slab),
      (error: unknown) => this.#crashed(slab, error),
    );
  }

  /** Runs a small slab here and now, when a thread hop would cost more than the work. Needs a pipeline without user code. */
  runHere(slab: number): void {
    if (this.#inline.prepare(slab) !== null) throw new Error('user code runs in workers');
    try {
      this.#inline.run(slab);
    } catch (error) {
      this.crashes += 1;
      this.#listener.crashed(slab, error);
      return;
    }
    this.#listener.completed(slab);
  }

  /** Loads user code where it will run, and throws what loading throws. */
  async check(description: PipelineDescription): Promise<void> {
    if (this.#pool === null) await loadUserCode(description);
    else await this.#pool.run(description, { name: 'checkUserCode' });
  }

  async close(): Promise<void> {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    await this.#pool?.destroy();
  }

  #completed(slab: number): void {
    this.#running -= 1;
    this.#stuck.delete(slab);
    this.#listener.completed(slab);
  }

  #crashed(slab: number, error: unknown): void {
    this.#running -= 1;
    this.crashes += 1;
    this.#freeDeadSlots();
    const late = this.#stuck.delete(slab);
    this.#listener.crashed(slab, late ? new Error(`no sign of life for ${this.#timeoutMs} ms (workerTimeout)`) : error);
  }

  /** No slab was at it: something that user code left behind (a timer, a promise) went wrong later. Unheard, the pool would end this process. */
  #diedIdle(error: unknown): void {
    this.crashes += 1;
    this.#freeDeadSlots();
    this.#listener.warning(`a worker that had nothing to do died, of something a transform or schema left behind: ${messageOf(error)}`);
  }

  #runInline(slab: number): void {
    const loading = this.#inline.prepare(slab);
    const run = (): void => {
      try {
        this.#inline.run(slab);
      } catch (error) {
        this.#crashed(slab, error);
        return;
      }
      this.#completed(slab);
    };
    if (loading === null) run();
    else loading.then(run, (error: unknown) => this.#crashed(slab, error));
  }

  /** A thread that ended holds its scratch no more. Pairs with the exchange in the worker's `takeSlot`. */
  #freeDeadSlots(): void {
    const { words, layout } = this.#ring;
    const living = new Set(this.#pool!.threads.map((thread) => thread.threadId));
    for (let slot = 0; slot < layout.workerSlots - 1; slot += 1) {
      const word = layout.headerStart / 4 + HeaderWord.workerSlots + slot * SLOT_WORDS;
      const holder = Atomics.load(words, word);
      if (holder !== 0 && !living.has(holder)) Atomics.store(words, word, 0);
    }
  }

  /** Ends a worker whose user code has been on one record for too long; its slab then counts as crashed. */
  #watch(): void {
    if (this.#watchdog !== null || this.#timeoutMs === 0) return;
    this.#watchdog = setInterval(
      () => {
        for (let slab = 0; slab <= this.#ring.layout.slabs; slab += 1) if (this.#isStuck(slab)) this.#end(slab);
      },
      Math.max(10, this.#timeoutMs / 4),
    );
    this.#watchdog.unref();
  }

  #end(slab: number): void {
    this.#stuck.add(slab);
    void this.#threadOf(slab)?.terminate();
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

  #threadOf(slab: number): { terminate(): Promise<number> } | undefined {
    const { words, layout } = this.#ring;
    const holder = Atomics.load(
      words,
      layout.headerStart / 4 + HeaderWord.workerSlots + this.#ring.get(slab, SlabWord.workerSlot) * SLOT_WORDS,
    );
    return this.#pool?.threads.find((thread) => thread.threadId === holder);
  }
}

let kernel: Uint8Array | null | undefined;

/** Read once by main, for workers do no I/O. Without it (a build without the kernel, or `MILLRACE_KERNEL=off` to compare) TypeScript does all. */
function kernelModule(): Uint8Array | null {
  if (kernel !== undefined) return kernel;
  try {
    kernel = process.env['MILLRACE_KERNEL'] === 'off' ? null : readFileSync(new URL('../../workers/kernel.wasm', import.meta.url));
  } catch {
    kernel = null;
  }
  return kernel;
}

/** Settings: NATS-NOTES section 1. Workers get no environment but what coverage needs. */
function makePool(ring: Ring, { workers, windowCapacity, workerHeapMiB }: DispatchOptions): Piscina {
  const workerData: WorkerSetup = { ...ring.shared, windowCapacity, kernel: kernelModule() };
  const coverage = process.env['NODE_V8_COVERAGE'];
  return new Piscina({
    filename: new URL('../../workers/loader.cjs', import.meta.url).href,
    name: 'runSlab',
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'async', // The default parks an idle worker's event loop: no timers, no profiler.
    concurrentTasksPerWorker: TASKS_PER_WORKER,
    maxQueue: ring.layout.slabs + 8,
    recordTiming: false,
    workerData,
    env: coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage },
    ...(workerHeapMiB === 0 ? {} : { resourceLimits: { maxOldGenerationSizeMb: workerHeapMiB } }),
  });
}
