/** Hands slabs to the Piscina pool, or runs the same stages on this thread; says when each is complete or its worker died. */
import { loadUserCode } from '../../workers/user-code.ts';
import { SlabRunner } from '../../workers/runner.ts';
import type { ServeFault } from '../../workers/entry.ts';
import { Serving } from './serving.ts';
import type { ServingListener } from './serving.ts';
import { Watchdog } from './watchdog.ts';
import { kernelModule, WorkerPool } from './worker-pool.ts';
import type { DispatchOptions, PoolListener } from './worker-pool.ts';
import { messageOf } from '../api/errors.ts';
import { HeaderWord } from '../memory/header-page.ts';
import { SlabState } from '../memory/layout.ts';
import type { PipelineDescription } from '../memory/pipeline.ts';
import type { Ring } from '../memory/ring.ts';
import type { DedupeWindow } from '../memory/window.ts';
import { WorkQueue } from '../memory/work-queue.ts';

const SLOT_WORDS = 32;
/** So many workers in a row that die before they take anything are not the fault of what an earlier slab left behind. */
const FRUITLESS_DEATHS_MAX = 3;

export interface DispatchListener {
  completed(slab: number): void;
  /** The slab's worker died, or threw: nothing of the run counts. */
  crashed(slab: number, error: unknown): void;
  warning(message: string): void;
}

export class Dispatcher implements ServingListener, PoolListener {
  readonly #ring: Ring;
  readonly #listener: DispatchListener;
  readonly #makeInline: () => SlabRunner;
  #madeInline: SlabRunner | null = null;
  readonly #pool: WorkerPool | null;
  readonly #queue: WorkQueue;
  readonly #serving: Serving | null;
  readonly #watchdog: Watchdog;
  readonly #workers: number;
  readonly #running: Int32Array; // Slabs that wait or are at work, in the order of their dispatch; so many:
  #count = 0;
  #fruitless = 0; // Deaths since a slab was completed, of workers that were at none.
  #lost: unknown = null; // What the last thread died of, when no other will come.
  crashes = 0;

  constructor(ring: Ring, window: DedupeWindow | null, options: DispatchOptions, listener: DispatchListener) {
    this.#ring = ring;
    this.#listener = listener;
    this.#workers = options.workers;
    this.#makeInline = () => new SlabRunner(ring, ring.layout.workerSlots - 1, window, kernelModule());
    setImmediate(() => this.#inline); // While the broker is being connected to, which waits for the network and not for this thread.
    this.#running = new Int32Array(ring.layout.slabs + 1);
    this.#queue = new WorkQueue(ring);
    this.#pool = options.workers === 0 ? null : new WorkerPool(ring, options, this);
    this.#watchdog = new Watchdog(ring, options.workerTimeoutMs, () => this.#pool?.threads ?? []);
    this.#serving = this.#pool === null ? null : new Serving(this.#pool, { workers: options.workers, queue: this.#queue }, this);
  }

  get #inline(): SlabRunner {
    return (this.#madeInline ??= this.#makeInline());
  }

  /** Nothing waits and nothing is at work. */
  get idle(): boolean {
    return this.#count === 0;
  }

  /** True while a worker would start at once on one more slab. */
  get hungry(): boolean {
    return this.#count < Math.max(1, this.#workers);
  }

  /** Threads are made, so that they are there when the first slab is. */
  warmUp(afterMs = 0): void {
    this.#pool?.startIn(afterMs);
  }

  /** The slab is `waiting`; it will be completed or crashed, never during this call. */
  dispatch(slab: number): void {
    this.#running[this.#count] = slab;
    this.#count += 1;
    if (this.#serving === null) {
      setImmediate(() => this.#runInline(slab)); // Between slabs the event loop turns: acks come in, signals are heard.
      return;
    }
    if (this.#lost !== null) {
      setImmediate(() => this.#blame(slab, this.#lost));
      return;
    }
    this.#watchdog.watch();
    if (this.#queue.full) this.#queueAgain();
    else this.#queue.push(slab);
    this.#serving.start();
  }

  /** Runs a small slab here and now, when a thread hop would cost more than the work. Needs a pipeline without user code. */
  runHere(slab: number): void {
    if (this.#inline.prepare(slab) !== null) throw new Error('user code runs in workers');
    try {
      this.#ring.begin(slab);
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
    if (this.#serving === null) await loadUserCode(description);
    else await this.#serving.check(description);
  }

  async close(): Promise<void> {
    this.#watchdog.close();
    this.#serving?.close();
    await this.#pool?.close();
    if (this.#pool === null) return;
    this.told();
    while (this.#count > 0) this.#crashed(this.#running[0]!, new Error('the worker threads were ended'));
  }

  /** The slab threw: a defect of ours, or user code that cannot be loaded. */
  threw({ slab, error }: ServeFault): void {
    this.#crashed(slab, error);
  }

  /** A thread ended: what it was at counts as crashed, what it had finished does not, and what waits is not concerned. */
  died(error: unknown): void {
    this.#freeDeadSlots();
    this.told();
    const living = this.#living();
    let guilty = false;
    for (let index = 0; index < this.#count;) {
      const slab = this.#running[index]!;
      if (this.#ring.state(slab) === SlabState.working && !living.has(this.#ring.holder(slab))) {
        guilty = true;
        this.#crashed(slab, error); // It leaves the line, and comes back at its end if it is to run again: then its thread is no dead one.
      } else index += 1;
    }
    if (!guilty) this.#diedIdle(error);
    if (this.#fruitless >= FRUITLESS_DEATHS_MAX) this.#blameOldest(error);
    this.#queueAgain();
  }

  /** Of no slab in particular: several may be ready by now. */
  told(): void {
    for (let index = 0; index < this.#count;) {
      const slab = this.#running[index]!;
      if (this.#ring.state(slab) === SlabState.ready) this.#completed(slab);
      else index += 1;
    }
  }

  #completed(slab: number): void {
    this.#leave(slab);
    this.#watchdog.forget(slab);
    this.#fruitless = 0;
    this.#listener.completed(slab);
  }

  #crashed(slab: number, error: unknown): void {
    this.#leave(slab);
    this.crashes += 1;
    this.#listener.crashed(slab, this.#watchdog.reasonOf(slab, error));
  }

  #leave(slab: number): void {
    const at = this.#running.indexOf(slab);
    this.#running.copyWithin(at, at + 1, this.#count);
    this.#count -= 1;
    if (this.#count === 0) this.#serving?.rest();
  }

  /** It was at no slab: something that user code left behind (a timer, a promise) went wrong later. Unheard, the pool would end this process. */
  #diedIdle(error: unknown): void {
    this.crashes += 1;
    this.#fruitless += 1;
    this.#listener.warning(
      `a worker died between its slabs (of something a transform or schema left behind, or for want of memory): ${messageOf(error)}`,
    );
  }

  /** Piscina makes no more threads once one has died while it started: with the last of them gone, nothing that waits would ever run. */
  endedIdle(error: unknown): void {
    this.#freeDeadSlots();
    this.#diedIdle(error);
    if (this.#pool!.threads.length > 0) return;
    this.#lost = error;
    this.#serving!.lost(error);
    this.#queue.clear();
    for (const slab of this.#running.slice(0, this.#count)) this.#blame(slab, error);
  }

  /** Takes the slab from the workers first, for what follows writes its words; false = it does not wait. */
  #blame(slab: number, error: unknown): boolean {
    const taken = this.#ring.tryBegin(slab, 0);
    if (taken) this.#crashed(slab, error);
    return taken;
  }

  /** Worker after worker dies before it takes anything: what waits must not wait for ever. */
  #blameOldest(error: unknown): void {
    for (let index = 0; index < this.#count; index += 1) if (this.#blame(this.#running[index]!, error)) return;
  }

  /** Makes room: entries of slabs that do not wait any more go. */
  #queueAgain(): void {
    this.#queue.clear();
    for (const slab of this.#running.subarray(0, this.#count)) if (this.#ring.state(slab) === SlabState.waiting) this.#queue.push(slab);
  }

  #runInline(slab: number): void {
    const loading = this.#inline.prepare(slab);
    const run = (): void => {
      try {
        this.#ring.begin(slab);
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

  created(): void {
    this.#freeDeadSlots();
  }

  /** A thread that ended holds its scratch no more. Pairs with the exchange in the worker's `takeSlot`. */
  #freeDeadSlots(): void {
    const { words, layout } = this.#ring;
    const living = this.#living();
    for (let slot = 0; slot < layout.workerSlots - 1; slot += 1) {
      const word = layout.headerStart / 4 + HeaderWord.workerSlots + slot * SLOT_WORDS;
      const holder = Atomics.load(words, word);
      if (holder !== 0 && !living.has(holder)) Atomics.store(words, word, 0);
    }
  }

  #living(): Set<number> {
    return new Set(this.#pool!.threads.map((thread) => thread.threadId));
  }
}
