/** The Piscina pool of an engine, and what its threads are given. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
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

/** Settings: NATS-NOTES section 1. Workers get no environment but what coverage needs. */
export function makePool(ring: Ring, { workers, windowCapacity, workerHeapMiB }: DispatchOptions): Piscina {
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
