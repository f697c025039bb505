/** The inbound ring against scripted threads: bounded, in order within a lane, and through with every event whatever a thread does. */
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
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';

class Held {
  readonly task: SlabTask;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;

  constructor(task: SlabTask, settle: { readonly resolve: () => void; readonly reject: (error: Error) => void }) {
    this.task = task;
    this.resolve = settle.resolve;
    this.reject = settle.reject;
  }
}

class Rig implements RunnerHost {
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

class ThreadEnd extends Error {}

const Slabs = timedSuite('InboundSlabs');
const rigs: Rig[] = [];
const rig = (options?: { readonly concurrency?: number }): Rig => {
  const made = new Rig(options);
  rigs.push(made);
  return made;
};
Slabs.after(() => rigs.forEach(({ slabs }) => slabs.stop()));

Slabs('messages of one turn go in one slab, those that come meanwhile in the next', async () => {
  const one = rig();
  one.arrive(1);
  one.arrive(2, { events: ['a', 'b'] });
  await waitFor('a task', () => one.held.length === 1);
  one.arrive(3);
  await new Promise((turned) => setImmediate(turned));
  assert.is(one.held.length, 1); // One slab of a lane at work.
  await one.work();
  assert.equal([one.handled, one.done_, one.handed], [[1, 'a', 'b'], [1, 2], 3]);
  await one.work();
  assert.equal([one.handled.at(-1), one.done_], [3, [1, 2, 3]]);
});

Slabs('without a free slab messages wait, it says so, and all come in order', async () => {
  const one = rig();
  const fill = 'x'.repeat(900);
  const count = 300;
  for (let sequence = 1; sequence <= count; sequence += 1) one.arrive(sequence, { events: [{ sequence, fill }] });
  assert.is(one.slabs.full, true);
  while (one.done_.length < count) await one.work();
  assert.is(one.slabs.full, false);
  assert.is(one.full.at(-1), false);
  assert.equal(
    one.done_,
    Array.from({ length: count }, (_, at) => at + 1),
  );
});

Slabs('a message larger than a slab takes its turn, one beyond the limit is refused', async () => {
  const one = rig();
  one.arrive(1);
  one.arrive(2, { events: ['x'.repeat(90_000)] });
  one.arrive(3);
  one.arrive(4, { events: ['x'.repeat(300_000)] });
  while (one.done_.length < 4) await one.work();
  assert.equal(one.done_, [4, 1, 2, 3]);
  assert.match(one.refusals.join(), /^a message of \d+ B > \d+ B; raise maxEventBytes$/);
});

Slabs('different keys are at work at once, up to the limit', async () => {
  const one = rig({ concurrency: 3 });
  for (let sequence = 1; sequence <= 40; sequence += 1) one.arrive(sequence, { subject: `s${sequence}` });
  await waitFor('tasks', () => one.held.length > 0);
  await new Promise((turned) => setImmediate(turned));
  assert.is(one.held.length, 3);
  while (one.done_.length < 40) await one.work();
});

Slabs('an event that fails leaves the others alone', async () => {
  const one = rig();
  one.arrive(1, { events: ['a', 'bad', 'c'] });
  await one.work();
  assert.equal([one.handled, one.done_, one.failures.length], [['a', 'bad', 'c'], [1], 1]);
  const { retry, cause } = one.failures[0]!;
  assert.equal([retry.index, retry.attempts, retry.alone, (cause as Error).message], [1, 1, false, 'a bad one']);
  assert.equal(retry.raw, new Uint8Array(packEvent('bad')));
});

Slabs('a thread that ends: what was done counts, the event runs alone, the rest goes on', async () => {
  const one = rig();
  one.arrive(1, { events: ['a', 'bad', 'dies', 'd'] });
  one.arrive(2);
  await one.work('dies');
  assert.is(one.handled.filter((event) => event === 'a').length, 1);
  const tasks = await waitFor('the rest, and the suspect', () => (one.held.length > 0 ? one.held : null));
  assert.equal(
    tasks.map(({ task }) => task.alone),
    [false],
  ); // One place: the suspect comes after it.
  await one.work();
  await waitFor('the suspect', () => one.held.length === 1);
  assert.is(one.held[0]!.task.alone, true);
  await one.work('dies');
  assert.equal(one.handled, ['a', 'bad', 'dies', 'd', 2, 'dies']);
  const last = one.failures.at(-1)!;
  assert.equal([last.final, last.retry.index, last.retry.attempts], ['worker_crash', 2, 2]);
  await one.work(); // The lane of suspects is through as well.
  assert.equal(
    one.done_.toSorted((a, b) => a - b),
    [1, 2],
  );
});

Slabs('threads that end before any event are tried a few times, and then it ends', async () => {
  const one = rig();
  one.arrive(1);
  for (let time = 1; time <= 4; time += 1) {
    (await waitFor('a task', () => one.held.shift())).reject(new Error('no memory'));
    await new Promise((turned) => setImmediate(turned));
  }
  assert.is(one.ends.length, 1);
  assert.match(one.ends[0]!.message, /no memory/);
  assert.equal(one.handled, []);
});
Slabs.run();
