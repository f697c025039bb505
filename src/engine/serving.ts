/**
 * Keeps one long task of the Piscina pool at the queue in each worker while there is work. Piscina makes the threads, ends them and says
 * when one died; a slab costs it nothing. With no work the tasks end, and the process is free to.
 */
import { MessageChannel } from 'node:worker_threads';
import type { WorkerPool } from './worker-pool.ts';
import type { MessagePort } from 'node:worker_threads';
import type { CheckAnswer, CheckRequest, ServeFault, ServeOrder } from '../../workers/entry.ts';
import type { PipelineDescription } from '../memory/pipeline.ts';
import type { WorkQueue } from '../memory/work-queue.ts';

/** With nothing to do for so long the tasks end: a new one costs some 10 µs, and a task that is open keeps the process alive. */
const REST_MS = 50;

export interface ServingListener {
  /** Nothing waits and nothing is at work. */
  readonly idle: boolean;
  /** Slabs have become ready. */
  told(): void;
  /** The worker lives; it could not run this slab. */
  threw(fault: ServeFault): void;
  died(error: unknown): void;
}

interface Check {
  port: MessagePort | null;
  readonly description: PipelineDescription;
  resolve(): void;
  reject(error: unknown): void;
}

export class Serving {
  readonly #pool: Pick<WorkerPool, 'run'>;
  readonly #workers: number;
  readonly #queue: WorkQueue;
  readonly #listener: ServingListener;
  #round = 0;
  #serving = false;
  #closed = false;
  #resting: NodeJS.Timeout | null = null;
  readonly #ports: Set<MessagePort> = new Set(); // One for each task.
  readonly #checks: Map<number, Check> = new Map();
  #nextCheck = 0;
  readonly #hear = (message: 0 | CheckAnswer): void => {
    if (message === 0) this.#listener.told();
    else this.#answered(message);
  };

  constructor(pool: Pick<WorkerPool, 'run'>, parts: { readonly workers: number; readonly queue: WorkQueue }, listener: ServingListener) {
    this.#pool = pool;
    this.#workers = parts.workers;
    this.#queue = parts.queue;
    this.#listener = listener;
  }

  /** There is something in the queue. */
  start(): void {
    if (this.#serving || this.#closed) return;
    this.#serving = true;
    this.#round = this.#queue.nextRound();
    for (let worker = 0; worker < this.#workers; worker += 1) void this.#serve(this.#round);
  }

  /** There is nothing to do now. */
  rest(): void {
    if (this.#resting === null) this.#resting = setTimeout(() => this.#endWhenIdle(), REST_MS).unref();
    else this.#resting.refresh();
  }

  /** Loads user code in one of the workers, between its slabs, and throws what loading throws. One that never ends holds up nobody else. */
  check(description: PipelineDescription): Promise<void> {
    this.start();
    const id = this.#nextCheck++;
    return new Promise<void>((resolve, reject) => {
      const check: Check = { port: null, description, resolve, reject };
      this.#checks.set(id, check);
      this.#ask(id, check);
    });
  }

  /** There are no threads any more, and none will come. */
  lost(error: unknown): void {
    for (const port of this.#ports) this.#fail(port, error);
    this.#ports.clear();
  }

  close(): void {
    this.#closed = true;
    if (this.#resting !== null) clearTimeout(this.#resting);
    this.#queue.clear();
  }

  #answered({ id, fault }: CheckAnswer): void {
    const check = this.#checks.get(id);
    this.#checks.delete(id);
    if (fault === undefined) check?.resolve();
    else check?.reject(fault);
    this.rest();
  }

  #ask(id: number, check: Check): void {
    const [port] = this.#ports;
    if (port === undefined) {
      this.#checks.delete(id);
      return check.reject(new Error('the worker threads were ended'));
    }
    check.port = port;
    const request: CheckRequest = { id, description: check.description };
    port.postMessage(request);
  }

  /** Its task has ended and the thread lives: what was asked there is asked again. */
  #askAgain(port: MessagePort): void {
    for (const [id, check] of this.#checks) if (check.port === port) this.#ask(id, check);
  }

  /** Its thread died: what was asked there is not answered any more. */
  #fail(port: MessagePort, error: unknown): void {
    for (const [id, check] of this.#checks) {
      if (check.port !== port) continue;
      this.#checks.delete(id);
      check.reject(error);
    }
  }

  #endWhenIdle(): void {
    if (this.#listener.idle && this.#checks.size === 0) this.#end();
  }

  #end(): void {
    if (!this.#serving) return;
    this.#serving = false;
    this.#queue.nextRound();
  }

  async #serve(round: number): Promise<void> {
    // A port of its own: the pool's would emit an event of the pool for each message.
    const { port1, port2 } = new MessageChannel();
    port1.on('message', this.#hear).unref();
    this.#ports.add(port1);
    try {
      const order: ServeOrder = { round, port: port2 };
      const fault = (await this.#pool.run(order, { transferList: [port2] })) as ServeFault | null;
      this.#listener.told(); // What is still on its way in the port is not waited for.
      if (fault !== null) this.#listener.threw(fault);
    } catch (error) {
      this.#fail(port1, error);
      if (this.#closed) return;
      this.#listener.died(error);
    } finally {
      this.#ports.delete(port1);
      port1.close();
    }
    if (this.#serving && round === this.#round && !this.#closed) void this.#serve(round);
    this.#askAgain(port1);
  }
}
