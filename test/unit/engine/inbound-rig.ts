/** The inbound ring with scripted threads: what a pool would run is in the hands of the test. */
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import { packEvent } from '../../../src/codec/msgpack.ts';
import type { Failure } from '../../../src/engine/delivery.ts';
import type { RunnerHost } from '../../../src/engine/inbound.ts';
import { MessageInHand } from '../../../src/engine/inbound-message.ts';
import type { Retry } from '../../../src/engine/inbound-message.ts';
import type { HandlerPool, SlabTask } from '../../../src/engine/inbound-pool.ts';
import { InboundSlabs } from '../../../src/engine/inbound-slabs.ts';
import { InboundRun } from '../../../workers/inbound-run.ts';
import { waitFor } from '../../harness/wait-for.ts';

export class Held {
  readonly task: SlabTask;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;

  constructor(task: SlabTask, settle: { readonly resolve: () => void; readonly reject: (error: Error) => void }) {
    this.task = task;
    this.resolve = settle.resolve;
    this.reject = settle.reject;
  }
}

export class Rig implements RunnerHost {
  readonly held: Held[] = [];
  readonly handled: unknown[] = [];
  miscounted = 0; // Times that the count of events handed over was not exact while the handler was at one.
  readonly done_: number[] = [];
  readonly failures: (Failure & { readonly retry: Retry })[] = [];
  readonly refusals: string[] = [];
  readonly ends: MillraceError[] = [];
  readonly full: boolean[] = [];
  handed = 0;
  readonly slabs: InboundSlabs;

  constructor({ concurrency = 1 }: { readonly concurrency?: number } = {}) {
    const pool = {
      nextId: () => 1,
      run: (task: SlabTask) => new Promise<void>((resolve, reject) => this.held.push(new Held(task, { resolve, reject }))),
    } as unknown as HandlerPool;
    this.slabs = new InboundSlabs(this, {
      pool,
      handler: { module: 'none' },
      absent: { kind: 'jetstream', messages: {} },
      concurrency,
      slabBytes: 4_096,
      messageBytesMax: 0,
      maxEventBytes: 100_000,
    });
  }

  arrive(
    sequence: number,
    { events = [sequence], subject = 's' }: { readonly events?: readonly unknown[]; readonly subject?: string } = {},
  ): void {
    const headers = { 'Content-Type': 'application/msgpack', 'Millrace-Count': String(events.length) };
    const payload = packEvent(events);
    this.slabs.take(
      new MessageInHand({
        subject,
        payload,
        sequence,
        timeMs: 0,
        redeliveries: 0,
        handle: null,
        header: () => undefined,
        headers: () => headers,
      }),
      payload,
    );
  }

  /** The same, but the pool tells nothing of it: what it will say is in the hands of the test. */
  async workUntold(): Promise<Held> {
    const held = await waitFor('a task', () => this.held.shift());
    const { ring, slab } = held.task;
    const absent = { kind: 'jetstream', messages: {} } as const;
    await new InboundRun(ring, slab, { threadId: 1, absent, handler: (event) => void this.handled.push(event) }).run();
    return held;
  }

  /** Does what a thread does with the oldest task; `dies` = at this event. */
  async work(dies?: unknown): Promise<void> {
    const { task, resolve, reject } = await waitFor('a task', () => this.held.shift());
    const run = new InboundRun(task.ring, task.slab, {
      threadId: 1,
      absent: { kind: 'jetstream', messages: {} },
      handler: (event) => {
        this.handled.push(event);
        if (this.handed + this.slabs.handing !== this.handled.length) this.miscounted += 1;
        if (event === dies) throw new ThreadEnd();
        if (event === 'bad') throw new Error('a bad one');
      },
    });
    if (dies === undefined) {
      await run.run();
      resolve();
    } else {
      await new Promise<void>((ended) => {
        // What the handler throws would be an outcome: a thread that ends leaves everything as it stands.
        const threw = run.threw.bind(run);
        Object.defineProperty(run, 'threw', {
          value: (cause: unknown) => {
            if (cause instanceof ThreadEnd) throw cause;
            threw(cause);
          },
        });
        try {
          void run.run();
        } catch {
          ended();
        }
      });
      reject(new Error('the thread has ended'));
    }
    await new Promise((turned) => setImmediate(turned));
    assert.is(this.miscounted, 0);
  }

  handedOver(events: number): void {
    this.handed += events;
  }
  opened(): void {}
  done(message: MessageInHand): void {
    message.open -= 1;
    if (message.open === 0) this.done_.push(message.sequence);
  }
  notHandled(retry: Retry, failure: Failure): void {
    this.failures.push({ ...failure, retry });
    this.done(retry.message);
  }
  refused(message: MessageInHand, _: Uint8Array, error: unknown): void {
    this.refusals.push((error as Error).message);
    this.done(message);
  }
  working(): void {}
  end(error: MillraceError): void {
    this.ends.push(error);
  }
  throttle(): void {
    this.full.push(this.slabs.full);
  }
}

export class ThreadEnd extends Error {}

const rigs: Rig[] = [];

export const rig = (options?: { readonly concurrency?: number }): Rig => {
  const made = new Rig(options);
  rigs.push(made);
  return made;
};

/** After the tests of a file. */
export const stopRigs = (): void => rigs.forEach(({ slabs }) => slabs.stop());
