/** One table of what may happen to an event in a handler, on every kind that keeps history, on the main thread and in workers. */
import * as assert from 'uvu/assert';
import type { EventProcessor } from '../../../src/api/processor.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { mainHandler, Rig, hasServer, stopServer, workerHandler } from './rig.ts';

type Numbers = readonly number[];
interface Case {
  readonly name: string;
  readonly orders: Parameters<Rig['store']>[1];
  /** Handed over, sorted. */
  readonly seen: Numbers;
  readonly letters?: readonly { readonly n: number; readonly reason: string; readonly message: RegExp; readonly attempts: number }[];
  /** A thread has to die for it. */
  readonly workersOnly?: boolean;
}

const plain = (from: number, to: number): { readonly n: number }[] => Array.from({ length: to - from + 1 }, (_, at) => ({ n: from + at }));
const range = (from: number, to: number): number[] => plain(from, to).map(({ n }) => n);

const cases: readonly Case[] = [
  { name: 'hands over each event of a batch once, in order', orders: plain(1, 500), seen: range(1, 500) },
  {
    name: 'one that throws is tried three times and dead-lettered alone; the others are done once',
    orders: [...plain(1, 4), { n: 5, act: 'throw' }, ...plain(6, 9)],
    seen: [1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9],
    letters: [{ n: 5, reason: 'handler', message: /event 5 is not wanted/, attempts: 3 }],
  },
  {
    name: 'one whose promise rejects the same',
    orders: [{ n: 1, act: 'reject' }, ...plain(2, 3)],
    seen: [1, 1, 1, 2, 3],
    letters: [{ n: 1, reason: 'handler', message: /event 1 is not wanted/, attempts: 3 }],
  },
  { name: 'one that throws once is done at the second attempt', orders: [{ n: 1 }, { n: 2, act: 'throw-once' }], seen: [1, 2, 2] },
  { name: 'nak with a delay brings it again', orders: [{ n: 1, act: 'nak-once' }, { n: 2 }], seen: [1, 1, 2] },
  {
    name: 'term is a dead letter at once, with its reason',
    orders: [{ n: 1 }, { n: 2, act: 'term' }],
    seen: [1, 2],
    letters: [{ n: 2, reason: 'handler', message: /^not today$/, attempts: 1 }],
  },
  {
    name: 'one that ends its thread once is done in a thread of its own',
    orders: [...plain(1, 3), { n: 4, act: 'exit-once' }, ...plain(5, 6)],
    seen: [1, 2, 3, 4, 4, 5, 6],
    workersOnly: true,
  },
  {
    name: 'one that ends every thread is tried once more alone and dead-lettered',
    orders: [...plain(1, 3), { n: 4, act: 'exit' }, ...plain(5, 6)],
    seen: [1, 2, 3, 4, 4, 5, 6],
    letters: [{ n: 4, reason: 'worker_crash', message: /exit/i, attempts: 2 }],
    workersOnly: true,
  },
  {
    name: 'an endless loop is ended, tried once more alone and dead-lettered',
    orders: [{ n: 1 }, { n: 2, act: 'loop' }, { n: 3 }],
    seen: [1, 2, 2, 3],
    letters: [{ n: 2, reason: 'worker_crash', message: /./, attempts: 2 }],
    workersOnly: true,
  },
];

for (const kind of ['embedded', 'jetstream'] as const)
  for (const place of ['main', 'workers'] as const) {
    const Handlers = timedSuite(`handlers on ${kind}, ${place}`, { timeoutMs: 30_000 });
    if (kind === 'jetstream' && !hasServer()) continue;
    let rig: Rig;
    let processor: EventProcessor;
    Handlers.before.each(async () => {
      rig = await Rig.start(kind);
      processor = await rig.connect();
    });
    Handlers.after.each(() => rig.stop());

    for (const { name, orders, seen, letters = [] } of cases.filter(({ workersOnly }) => workersOnly !== true || place === 'workers')) {
      Handlers(name, async () => {
        await rig.store(processor, orders);
        const handler = place === 'main' ? mainHandler : workerHandler;
        const options = { durable: 'd', maxAttempts: 3, backoffMs: 5 };
        const subscription = await processor.subscribe(rig.subject('>'), handler, options);
        await rig.sees(seen.length);
        const written = await rig.deadLetters(letters.length);
        await subscription.drain();
        assert.equal(
          rig.numbers.toSorted((a, b) => a - b),
          seen,
        );
        assert.is(subscription.received, seen.length);
        for (const { n, reason, message, attempts } of letters) {
          const letter = written.find(({ raw }) => Buffer.from(raw).includes(Buffer.from([0xa1, 0x6e, n])))!;
          assert.is(letter.reason, reason);
          assert.match(letter.message, message);
          assert.is(letter.attempts, attempts);
          assert.is(letter.subject, rig.subject('a'));
          assert.is(
            letter.origin!.index,
            orders.findIndex((order) => order.n === n),
          );
          assert.ok(letter.origin!.sequence! > 0);
        }
        // All of it is settled: the durable has nothing more to give, to nobody.
        await rig.store(processor, [{ n: 1_000 }]);
        const again = await processor.subscribe(rig.subject('>'), handler, options);
        await rig.sees(seen.length + 1);
        await again.drain();
        assert.equal(rig.numbers.slice(seen.length), [1_000]);
      });
    }

    Handlers('a delivery says where it comes from', async () => {
      await processor.publish(rig.subject('one'), { n: 1, log: rig.log }, { id: 'x-1', headers: { Colour: 'blue' } });
      await rig.store(processor, plain(2, 3));
      const subscription = await processor.subscribe(rig.subject('>'), place === 'main' ? mainHandler : workerHandler);
      await rig.sees(3);
      await subscription.drain();
      const [one, two, three] = rig.seen.toSorted((a, b) => a.n - b.n);
      assert.equal([one!.id, one!.index, one!.last, one!.headers['Colour'], one!.redeliveries], ['x-1', 0, true, 'blue', 0]);
      assert.is(one!.subject, rig.subject('one'));
      assert.ok(Math.abs(one!.timeMs - Date.now()) < 60_000);
      assert.equal([two!.index, two!.last, three!.index, three!.last], [0, false, 1, true]);
      assert.equal([two!.sequence, two!.subject], [three!.sequence, rig.subject('a')]);
    });

    Handlers('a handler that takes longer than the ack wait sees one delivery', async () => {
      await rig.store(processor, [{ n: 1, act: 'wait', waitMs: 1_500 }, { n: 2 }]);
      const subscription = await processor.subscribe(rig.subject('>'), place === 'main' ? mainHandler : workerHandler, {
        ackWaitMs: 500,
        durable: 'd',
      });
      await rig.sees(3);
      await subscription.drain();
      assert.equal(rig.numbers, [1, -1, 2]);
    });

    Handlers('keeps the order of a key with several at work', async () => {
      const keys = ['k0', 'k1', 'k2', 'k3', 'k4'];
      const orders = Array.from({ length: 200 }, (_, n) => ({
        n: n + 1,
        key: keys[n % 5]!,
        ...(n % 7 === 0 ? { act: 'wait' as const, waitMs: n % 3 } : {}),
      }));
      const wide = await rig.connect({ workers: 2 });
      for (let at = 0; at < orders.length; at += 40) await rig.store(wide, orders.slice(at, at + 40));
      const subscription = await wide.subscribe(rig.subject('>'), place === 'main' ? mainHandler : workerHandler, { concurrency: 4 });
      await waitFor('all', () => subscription.received === 200);
      await subscription.drain();
      for (const key of keys) {
        const got = rig.seen.filter(({ subject, n }) => n > 0 && subject === rig.subject(key)).map(({ n }) => n);
        assert.equal(
          got,
          orders.filter((order) => order.key === key).map(({ n }) => n),
          key,
        );
      }
    });
    Handlers.run();
  }

const Last = timedSuite('end');
Last.after(stopServer);
Last('ends the server', () => undefined);
Last.run();
