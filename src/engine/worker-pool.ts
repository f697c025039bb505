/** The Piscina pool of an engine, and what its threads are given. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { WorkerSetup } from '../../workers/entry.ts';
import type { Ring } from '../memory/ring.ts';

export interface DispatchOptions {
  readonly workers: number;
  readonly windowCapacity: number;
  readonly workerTimeoutMs: number;
  readonly workerHeapMiB: number;
}

let kernel: Uint8Array | null | undefined;

/** Read once by main, for workers do no I/O. Without it (a build without the kernel, or `MILLRACE_KERNEL=off` to compare) TypeScript does all. */
export function kernelModule(): Uint8Array | null {
  if (kernel !== undefined) return kernel;
  try {
    kernel = process.env['MILLRACE_KERNEL'] === 'off' ? null : readFileSync(new URL('../../workers/kernel.wasm', import.meta.url));
  } catch {
    kernel = null;
  }
  return kernel;
}

export interface PoolListener {
  created(): void;
  /** A thread died that was at no task. */
  endedIdle(error: unknown): void;
}

/**
 * The threads, and the library that keeps them, come when they are asked for: the first ack of a process need not wait for them
 * (30 of 230 ms).
 */
export class WorkerPool {
  readonly #make: () => Promise<Piscina>;
  #starting: Promise<Piscina> | null = null;
  #pool: Piscina | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(ring: Ring, options: DispatchOptions, listener: PoolListener) {
    this.#make = async () => {
      this.#pool = await makePool(ring, options);
      this.#pool.on('workerCreate', () => listener.created()).on('error', (error: unknown) => listener.endedIdle(error));
      return this.#pool;
    };
  }

  get threads(): Piscina['threads'] {
    return this.#pool?.threads ?? [];
  }

  startIn(ms: number): void {
    const start = (): void => void this.#start().catch(() => undefined); // Whoever needs them is told.
    if (ms === 0) start();
    else this.#timer = setTimeout(start, ms).unref();
  }

  async run(task: unknown, options: { readonly transferList: MessagePort[] }): Promise<unknown> {
    return (await this.#start()).run(task, options);
  }

  /** Nothing is run after that. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await (await this.#starting?.catch(() => null))?.destroy();
  }

  #start(): Promise<Piscina> {
    return (this.#starting ??= this.#make());
  }
}

/** Settings: NATS-NOTES section 1. Workers get no environment but what coverage needs. */
async function makePool(ring: Ring, { workers, windowCapacity, workerHeapMiB }: DispatchOptions): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  const workerData: WorkerSetup = { ...ring.shared, windowCapacity, kernel: kernelModule(), stepsBack: workers >= availableParallelism() };
  const coverage = process.env['NODE_V8_COVERAGE'];
  return new Piscina({
    filename: new URL('../../workers/loader.cjs', import.meta.url).href,
    name: 'serve',
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'async', // The default parks an idle worker's event loop: no timers, no profiler.
    recordTiming: false,
    workerData,
    env: coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage },
    ...(workerHeapMiB === 0 ? {} : { resourceLimits: { maxOldGenerationSizeMb: workerHeapMiB } }),
  });
}
