/** Subscriptions live and end as they promise: durables resume, groups share, drain finishes, close gives back, a slow handler stops the pulling. */
import * as assert from 'uvu/assert';
import type { Delivery } from '../../../src/api/event.ts';
import { MillraceError } from '../../../src/api/errors.ts';
import type { EventProcessor } from '../../../src/api/processor.ts';
import { connect } from '../../../src/index.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Order } from './fixtures/handler.ts';
import { Rig, hasServer, mainHandler, stopServer, workerHandler } from './rig.ts';

const plain = (from: number, to: number): { readonly n: number }[] => Array.from({ length: to - from + 1 }, (_, at) => ({ n: from + at }));
const range = (from: number, to: number): number[] => plain(from, to).map(({ n }) => n);
const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof MillraceError && error.code === expected;

async function rejects(work: Promise<unknown>, expected: string, says: RegExp): Promise<void> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(code(expected)(error), String(error));
  assert.match((error as Error).message, says);
}

for (const kind of ['embedded', 'jetstream'] as const) {
  if (kind === 'jetstream' && !hasServer()) continue;
  const Subscriptions = timedSuite(`subscriptions on ${kind}`, { timeoutMs: 30_000 });
  let rig: Rig;
  let processor: EventProcessor;
  Subscriptions.before.each(async () => {
    rig = await Rig.start(kind);
    processor = await rig.connect();
  });
  Subscriptions.after.each(() => rig.stop());

  Subscriptions('a durable resumes after a restart of process and broker', async () => {
    await rig.store(processor, plain(1, 3));
    const first = await processor.subscribe(rig.subject('>'), mainHandler, { durable: 'd' });
    await rig.sees(3);
    await first.drain();
    await processor.close();
    if (kind === 'jetstream') await Rig.server.restart();
    const second = await rig.connect();
    await rig.store(second, plain(4, 6));
    const again = await second.subscribe(rig.subject('>'), workerHandler, { durable: 'd' });
    await rig.sees(6);
    await again.drain();
    assert.equal(rig.numbers, range(1, 6));
  });

  Subscriptions('what was in hand at close comes again', async () => {
    await rig.store(processor, [{ n: 1 }, { n: 2, act: 'wait', waitMs: 60_000 }, { n: 3 }]);
    const first = await processor.subscribe(rig.subject('>'), workerHandler, { durable: 'd', ackWaitMs: 1_000 });
    await rig.sees(2);
    await first.close();
    const got: number[] = [];
    const second = await processor.subscribe(rig.subject('>'), (event: Order) => void got.push(event.n), { durable: 'd' });
    await waitFor('all of the message', () => got.length >= 3);
    await second.drain();
    assert.equal(got, [1, 2, 3]);
  });

  Subscriptions('a group shares the work', async () => {
    const other = await rig.connect();
    await rig.store(processor, [{ n: 0 }], rig.subject('b')); // Makes the stream.
    const got: number[][] = [[], []];
    const take =
      (side: number) =>
      async (event: Order): Promise<void> => {
        got[side]!.push(event.n);
        await new Promise((resolve) => setTimeout(resolve, 2));
      };
    const options = { queue: 'workers', maxInFlight: 4 };
    const both = [await processor.subscribe(rig.subject('a'), take(0), options), await other.subscribe(rig.subject('a'), take(1), options)];
    for (let n = 1; n <= 100; n += 1) await processor.publish(rig.subject('a'), { n });
    await waitFor('all', () => got[0]!.length + got[1]!.length >= 100);
    await Promise.all(both.map((one) => one.drain()));
    assert.equal(
      got.flat().toSorted((a, b) => a - b),
      range(1, 100),
    );
    assert.ok(
      got.every((side) => side.length > 0),
      `${got[0]!.length} and ${got[1]!.length}`,
    );
  });

  Subscriptions('drain finishes what is in hand, and takes no more', async () => {
    await rig.store(processor, [{ n: 1, act: 'wait', waitMs: 100 }, { n: 2, act: 'throw-once' }, { n: 3 }]);
    for (const handler of [mainHandler, workerHandler]) {
      const before = rig.numbers.length;
      const subscription = await processor.subscribe(rig.subject('>'), handler, { backoffMs: 10 });
      await rig.sees(before + 1);
      await subscription.drain();
      await subscription.closed;
      assert.equal(
        rig.numbers.slice(before).toSorted((a, b) => a - b),
        [-1, 1, 2, 2, 3],
      );
      await rig.store(processor, [{ n: 4 }], rig.subject('later'));
      await subscription.drain(); // Idempotent, as close is.
      await subscription.close();
      assert.not.ok(rig.numbers.slice(before).includes(4));
      await rig.stop();
      rig = await Rig.start(kind);
      processor = await rig.connect();
      await rig.store(processor, [{ n: 1, act: 'wait', waitMs: 100 }, { n: 2, act: 'throw-once' }, { n: 3 }]);
    }
  });

  Subscriptions('is iterated in order; leaving the loop closes it, and unsettled events come again', async () => {
    await rig.store(processor, plain(1, 1_000));
    const got: number[] = [];
    const subscription = await processor.subscribe(rig.subject('>'), { durable: 'd', ackWaitMs: 1_000 });
    for await (const delivery of subscription as AsyncIterable<Delivery<Order>>) {
      got.push(delivery.event.n);
      delivery.ack();
      if (delivery.event.n === 600) break;
    }
    await subscription.closed;
    assert.equal(got, range(1, 600));
    const again: number[] = [];
    const rest = await processor.subscribe(rig.subject('>'), { durable: 'd' });
    for await (const delivery of rest as AsyncIterable<Delivery<Order>>) {
      again.push(delivery.event.n);
      delivery.ack();
      if (delivery.event.n === 1_000) break;
    }
    assert.ok(again[0]! <= 601, String(again[0])); // Their message was not through.
    assert.equal(again, range(again[0]!, 1_000));
  });

  Subscriptions('an abort signal closes it and ends the loop', async () => {
    const controller = new AbortController();
    await rig.store(processor, [{ n: 0 }], rig.subject('b')); // Makes the stream.
    const subscription = await processor.subscribe(rig.subject('a'), { signal: controller.signal });
    setImmediate(() => controller.abort());
    for await (const _ of subscription) assert.unreachable();
    await subscription.closed;
    const late = await processor.subscribe(rig.subject('a'), mainHandler, { signal: controller.signal });
    await late.closed;
  });

  Subscriptions('a slow handler stops the pulling', async () => {
    for (let n = 1; n <= 300; n += 1) await processor.publish(rig.subject('a'), { n, log: rig.log });
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const subscription = await processor.subscribe(
      rig.subject('>'),
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => release.push(resolve));
        running -= 1;
      },
      { maxInFlight: 10, concurrency: 100, durable: 'd', ackWaitMs: 60_000 },
    );
    await waitFor('the first', () => subscription.received > 0);
    for (let taken = 0; taken < 300; taken += 1) (await waitFor('one at work', () => release.shift()))();
    await subscription.drain();
    assert.ok(most <= 10, `${most} at once`);
    assert.is(subscription.received, 300);
  });

  Subscriptions('a message larger than a slab goes through', async () => {
    const small = await connect(rig.url, { workers: 1, slabBytes: '64KiB', deadLetters: 'off' });
    await small.publish(rig.subject('a'), { n: 1, log: rig.log, fill: 'x'.repeat(900_000) });
    await small.publish(rig.subject('a'), { n: 2, log: rig.log });
    const subscription = await small.subscribe(rig.subject('>'), workerHandler);
    await rig.sees(2);
    await subscription.drain();
    await small.close();
    assert.equal(rig.numbers, [1, 2]);
  });

  Subscriptions('what cannot be is refused before anything starts', async () => {
    await rig.store(processor, plain(1, 1));
    const all = rig.subject('>');
    await rejects(processor.subscribe(all, { module: new URL('nowhere.js', import.meta.url) }), 'MILLRACE_USAGE', /nowhere\.js/);
    await rejects(
      processor.subscribe(all, { module: new URL('rig.js', import.meta.url), export: 'nothing' }),
      'MILLRACE_USAGE',
      /exports no handler named nothing/,
    );
    await rejects(
      processor.subscribe(all, mainHandler, { maxInFlight: 0, concurrency: 1.5 }),
      'MILLRACE_USAGE',
      /maxInFlight: 0.*concurrency: 1\.5/,
    );
    await rejects(processor.subscribe('a..b', mainHandler), 'MILLRACE_SUBJECT_INVALID', /empty token/);
    await rejects(processor.subscribe(all, mainHandler, { start: 'noon' as 'all' }), 'MILLRACE_USAGE', /noon/);
    await rejects(processor.subscribe(all, mainHandler, { noAck: true, confirmAcks: true }), 'MILLRACE_USAGE', /exclude/);
    const handled = await processor.subscribe(all, mainHandler);
    assert.throws(() => (handled as unknown as AsyncIterable<unknown>)[Symbol.asyncIterator](), code('MILLRACE_USAGE'));
    await handled.close();
  });
  Subscriptions.run();
}

const Last = timedSuite('end');
Last.after(stopServer);
Last('core NATS names the kinds that can', async () => {
  if (!hasServer()) return;
  await Rig.start('jetstream');
  const simple = await connect(Rig.server.url, { workers: 0, deadLetters: 'off' });
  await rejects(
    simple.subscribe('a', mainHandler, { durable: 'd' }),
    'MILLRACE_NOT_SUPPORTED',
    /simple cannot keep a durable position; these kinds can: .*jetstream/,
  );
  await rejects(simple.subscribe('a', mainHandler, { start: 'all' }), 'MILLRACE_NOT_SUPPORTED', /jetstream/);
  await rejects(simple.subscribe('a', mainHandler, { confirmAcks: true }), 'MILLRACE_NOT_SUPPORTED', /jetstream/);
  await simple.close();
});

Last('core NATS has no nak, on either thread: the call is an error, and a handler that throws it has its event given up', async () => {
  if (!hasServer()) return;
  const rig = await Rig.start('jetstream');
  const simple = await connect(Rig.server.url, { workers: 1, deadLetters: 'off', env: {} });
  const letters: string[] = [];
  simple.on('deadletter', ({ message }) => void letters.push(message));
  for (const handler of [mainHandler, workerHandler]) {
    await using _ = await simple.subscribe('nakked', handler, { maxAttempts: 2, backoffMs: 0 });
    letters.length = 0;
    for (const act of ['nak-once', 'term'] as const) await simple.publish('nakked', { n: 1, log: rig.log, act });
    await waitFor('one dead letter', () => letters.length === 1); // The other did not ask again at its second attempt.
    assert.match(letters[0]!, /simple cannot end an event \(term\).*; embedded, jetstream, dedupe can/);
    await waitFor('every attempt', () => rig.seen.length === (handler === mainHandler ? 4 : 8));
  }
  await simple.close();
});
Last.run();
