/**
 * Threads for handlers, apart from those of ingest: a handler that waits, hangs or kills its thread delays no publishing. One pool
 * for all subscriptions of an engine, made for the first and ended with the last; beside it one thread for events that killed theirs.
 */
import { Piscina } from 'piscina';
import type { Parts } from './parts.ts';
import { UNKNOWN_RING } from '../../workers/inbound-entry.ts';
import type { HandlerSetup, HandlerTask } from '../../workers/inbound-entry.ts';
import { messageOf } from '../api/errors.ts';
import type { ModuleReference } from '../api/event.ts';
import { SlabState, SlabWord } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

const ALONE_IDLE_MS = 10_000;
/** Handlers that wait hold no thread: far more lanes may be at work than there are threads. */
const TASKS_PER_THREAD = 1_024;

export interface SlabTask {
  readonly ring: Ring;
  readonly slab: number;
  readonly id: number;
  readonly setup: HandlerSetup;
  /** In a thread with nothing beside it. */
  readonly alone: boolean;
}

interface PoolSize {
  readonly threads: number;
  readonly tasks: number;
  readonly idleMs: number;
}

interface AtWork {
  readonly task: SlabTask;
  beat: number;
  beatMs: number;
}

export class HandlerPool {
  readonly #options: Parts['options'];
  readonly #signals: Parts['signals'];
  readonly #pool: Piscina;
  #alone: Piscina | null = null;
  readonly #atWork: Set<AtWork> = new Set();
  readonly #watchdog: NodeJS.Timeout;
  #nextId = 0;
  #users = 0;

  private constructor({ options, signals }: Parts) {
    this.#options = options;
    this.#signals = signals;
    this.#pool = this.#makePool({ threads: options.workers, tasks: TASKS_PER_THREAD, idleMs: Number.POSITIVE_INFINITY });
    this.#watchdog = setInterval(() => this.#look(), Math.min(1_000, Math.max(10, options.workerTimeoutMs / 4)));
    this.#watchdog.unref();
  }

  /** The pool of this engine. Each `of` needs one `release`. */
  static of(parts: Parts): HandlerPool {
    let pool = pools.get(parts);
    if (pool === undefined) {
      pool = new HandlerPool(parts);
      pools.set(parts, pool);
    }
    pool.#users += 1;
    return pool;
  }

  async release(parts: Parts): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    pools.delete(parts);
    clearInterval(this.#watchdog);
    await Promise.all([this.#pool.destroy(), this.#alone?.destroy()]);
  }

  /** A number that no ring of this pool had before. */
  nextId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }

  /** Loads the handler in one thread, and throws what loading throws. */
  async check(handler: ModuleReference): Promise<void> {
    await this.#pool.run(handler, { name: 'checkHandler' });
  }

  /** Resolves when the slab is `ready`; rejects when its thread died. */
  async run(task: SlabTask): Promise<void> {
    const { id, slab, setup } = task;
    const pool = task.alone ? (this.#alone ??= this.#makeAlone()) : this.#pool;
    const one: AtWork = { task, beat: 0, beatMs: 0 };
    this.#atWork.add(one);
    try {
      const brief: HandlerTask = { ring: id, slab };
      if ((await pool.run(brief)) === UNKNOWN_RING) {
        const whole: HandlerTask = { ring: id, slab, setup };
        await pool.run(whole);
      }
    } finally {
      this.#atWork.delete(one);
    }
  }

  #makeAlone(): Piscina {
    return this.#makePool({ threads: 1, tasks: 1, idleMs: ALONE_IDLE_MS });
  }

  /** Unheard, the error of a thread that dies with nothing to do, of what a handler left behind (a timer, a promise), would end this process. */
  #makePool(size: PoolSize): Piscina {
    return makePool(this.#options, size).on('error', (error: unknown) =>
      this.#signals.emit('warning', `a worker that had nothing to do died, of something a handler left behind: ${messageOf(error)}`),
    );
  }

  /** Ends threads that do not turn any more; their slabs then count as crashed. A handler that only waits lets its thread turn. */
  #look(): void {
    const now = performance.now();
    for (const one of this.#atWork) {
      const { ring, slab, alone } = one.task;
      if (ring.state(slab) !== SlabState.working || ring.get(slab, SlabWord.suspect) === -1) {
        one.beatMs = 0;
        continue;
      }
      const beat = ring.get(slab, SlabWord.heartbeat);
      if (beat !== one.beat || one.beatMs === 0) {
        one.beat = beat;
        one.beatMs = now;
      } else if (this.#options.workerTimeoutMs > 0 && now - one.beatMs > this.#options.workerTimeoutMs) {
        const holder = ring.holder(slab);
        const threads = alone ? this.#alone!.threads : this.#pool.threads;
        void threads.find((thread) => thread.threadId === holder)?.terminate();
      }
    }
  }
}

const pools: WeakMap<Parts, HandlerPool> = new WeakMap();

/** Settings as those of the pool of ingest (dispatch.ts). */
function makePool({ workerHeapMiB }: Parts['options'], { threads, tasks, idleMs }: PoolSize): Piscina {
  const coverage = process.env['NODE_V8_COVERAGE'];
  return new Piscina({
    filename: new URL('../../workers/loader.cjs', import.meta.url).href,
    name: 'runInbound',
    minThreads: idleMs === Number.POSITIVE_INFINITY ? threads : 0,
    maxThreads: threads,
    idleTimeout: idleMs,
    atomics: 'async', // The default parks an idle worker's event loop: a handler's own timers and sockets would stand still.
    concurrentTasksPerWorker: tasks,
    maxQueue: Number.POSITIVE_INFINITY,
    recordTiming: false,
    env: coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage },
    ...(workerHeapMiB === 0 ? {} : { resourceLimits: { maxOldGenerationSizeMb: workerHeapMiB } }),
  });
}
