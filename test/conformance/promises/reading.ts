/** Who reads what: wildcards, start positions, durables that go on where they were, groups that share the work. */
import * as assert from 'uvu/assert';
import type { StartPosition } from '../../../src/index.ts';
import { eachOnce, failsWith, inOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';
import type { Rig } from '../rig.ts';

const GROUP_EVENTS = 200;

/** Publishes `count` numbers, one after the other: each has a place and a time of its own. */
async function publishEach(rig: Rig, count: number, from = 0): Promise<void> {
  for (const n of numbers(count, from)) await rig.publisher.publish(rig.subject(), n);
}

/** The clock of this machine has moved on: what is stored from now on has another time than what was. */
async function tick(rig: Rig, ms = 30): Promise<Date> {
  const before = Date.now();
  await rig.wait('the clock', () => Date.now() > before + ms);
  return new Date(before + ms / 2);
}

export const readingPromises: readonly Promised[] = [
  {
    name: 'reads by wildcard, and nothing else',
    needs: ['wildcards'],
    proves: ['wildcards'],
    run: async (rig) => {
      const all = await rig.read(rig.subject('w.>'));
      const one = await rig.read(rig.subject('w.*.x'));
      for (const tail of ['w.a.x', 'w.b.y', 'v.a.x', 'w.c.x', 'w.c.x.deep']) await rig.publisher.publish(rig.subject(tail), tail);
      assert.equal(
        (await rig.fence(all, rig.subject('w.end.x'))).map(({ event }) => event),
        ['w.a.x', 'w.b.y', 'w.c.x', 'w.c.x.deep'],
      );
      await rig.wait('the other reader', () => one.events.length === 3);
      assert.equal(
        one.events.filter((event) => !String(event).startsWith('fence')),
        ['w.a.x', 'w.c.x'],
      );
    },
  },
  {
    name: 'starts at new: what was there before is not seen',
    run: async (rig) => {
      await publishEach(rig, 5);
      const reading = await rig.read(rig.subject(), { start: 'new' });
      await publishEach(rig, 3, 5);
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        [5, 6, 7],
      );
    },
  },
  {
    name: 'starts at all, last, a sequence, a time, and a while ago',
    needs: ['replay'],
    proves: ['replay'],
    run: async (rig) => {
      await publishEach(rig, 3);
      const noon = await tick(rig);
      await publishEach(rig, 3, 3);
      const all = await rig.read(rig.subject(), { start: 'all' });
      await all.until(6);
      const starts: [StartPosition, number][] = [
        ['all', 0],
        ['last', 5],
        [`seq:${all.seen[2]!.sequence}`, 2],
        [`time:${noon.toISOString()}`, 3],
        [`time:${all.seen[0]!.time.toISOString()}`, 0],
        ['ago:1h', 0],
      ];
      const readings = await Promise.all(starts.map(([start]) => rig.read(rig.subject(), { start })));
      await rig.publisher.publish(rig.subject(), 6);
      for (const [n, [start, from]] of starts.entries()) {
        await readings[n]!.until(7 - from);
        assert.equal(readings[n]!.events, numbers(7 - from, from), start);
      }
      await failsWith('MILLRACE_USAGE', 'a start that is none', () =>
        rig.publisher.subscribe(rig.subject(), { start: 'soon' as StartPosition }),
      );
    },
  },
  {
    name: 'goes on where a durable was, across a new process and whatever start it names',
    needs: ['durable'],
    proves: ['durable'],
    run: async (rig) => {
      const options = { durable: 'position', confirmAcks: true };
      const first = await rig.read(rig.subject(), options);
      await publishEach(rig, 5);
      await first.until(5);
      await first.subscription.drain();
      await first.processor.close();
      await publishEach(rig, 5, 5); // While nobody reads.
      const second = await rig.read(rig.subject(), { ...options, start: 'all' });
      await second.until(5);
      assert.equal(
        (await rig.fence(second)).map(({ event }) => event),
        [5, 6, 7, 8, 9],
      );
    },
  },
  {
    name: 'gives every reader that names no group its own copy',
    run: async (rig) => {
      const readings = await Promise.all([rig.read(rig.subject()), rig.read(rig.subject())]);
      await publishEach(rig, 10);
      for (const reading of readings)
        inOrder(
          (await rig.fence(reading)).map(({ event }) => event).filter((event) => typeof event === 'number'),
          10,
        );
    },
  },
  {
    name: 'shares the work of a group: each event goes to one of its readers, and none is idle',
    needs: ['queueGroups'],
    proves: ['queueGroups'],
    shares: true,
    run: async (rig) => {
      const filter = rig.filter('g');
      // Few in hand, so that one reader cannot take it all; core NATS would drop what is more.
      const options = { queue: 'workers', start: 'new', ...(rig.capabilities.acks ? { maxInFlight: 10 } : {}) } as const;
      const slow = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const processors = await Promise.all([rig.connect({ workers: 0 }), rig.connect({ workers: 0 })]);
      const readings = await Promise.all(processors.map((processor) => rig.readOn(processor, filter, { ...options, handler: slow })));
      const total = (): number => readings.reduce((sum, { events }) => sum + events.length, 0);
      // A group may still be forming: go on until both have had some. Numbers go on too, so that nothing may come twice.
      let published = 0;
      const busy = (): boolean => readings.every(({ events }) => events.length > 0);
      for (let round = 0; round < 20 && (round === 0 || !busy()); round++) {
        await Promise.all(numbers(GROUP_EVENTS, published).map((n) => rig.publisher.publish(rig.spread(n % 50, 'g'), n)));
        published += GROUP_EVENTS;
        await rig.wait(
          'the group',
          () => total() >= published,
          () => `${total()} of ${published} came`,
        );
      }
      assert.ok(busy(), 'one of two readers had everything');
      eachOnce(
        readings.flatMap(({ events }) => events),
        published,
      );
    },
  },
  {
    name: 'gives the other members of a group what one that has left had in hand',
    needs: ['queueGroups', 'acks'],
    proves: ['queueGroups', 'acks'],
    shares: true,
    once: true,
    run: async (rig) => {
      const options = { queue: 'heirs', start: 'new', maxInFlight: 10, ackWaitMs: 1_000 } as const;
      const leaver = await rig.read(rig.filter('h'), options, () => new Promise<void>(() => undefined));
      const heir = await rig.read(rig.filter('h'), options);
      let published = 0;
      // A group may still be forming: until the leaver has some.
      for (let round = 0; round < 20 && leaver.events.length === 0; round++) {
        await Promise.all(numbers(20, published).map((n) => rig.publisher.publish(rig.spread(n, 'h'), n)));
        published += 20;
        await rig.wait('the group', () => leaver.events.length > 0 || heir.events.length >= published);
      }
      assert.ok(leaver.events.length > 0, 'one of two readers had everything');
      await leaver.processor.close();
      const had = (): number => new Set(heir.events).size;
      await rig.wait(
        'the heir',
        () => had() === published,
        () => `${had()} of ${published} came`,
      );
    },
  },
  {
    name: 'hands deliveries to a loop at its own pace',
    run: async (rig) => {
      const processor = await rig.connect({ workers: 0 });
      const subscription = await processor.subscribe(rig.subject(), { maxInFlight: 4 });
      const published = publishEach(rig, 30);
      const events: unknown[] = [];
      for await (const delivery of subscription) {
        events.push(delivery.event);
        delivery.ack();
        if (events.length === 30) break;
      }
      await published;
      inOrder(events, 30);
      await subscription.closed;
    },
  },
];
