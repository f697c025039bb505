/** What becomes of a delivery: acked is done, everything else comes again until its budget is spent. */
import * as assert from 'uvu/assert';
import type { Delivery } from '../../../src/index.ts';
import { eachOnce, inAnyOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';

const ACK_WAIT_MS = 1_000;
const NAK_MS = 150;

export const ackPromises: readonly Promised[] = [
  {
    name: 'hands over again, after a reader has gone, what it had not acked, and nothing that it had',
    needs: ['acks', 'durable'],
    proves: ['acks'],
    run: async (rig) => {
      const options = { durable: 'acks', ackWaitMs: ACK_WAIT_MS, confirmAcks: true };
      // One event is in hand for good, and those behind it wait for it.
      const first = await rig.read(rig.subject(), options, (event) => (event === 6 ? new Promise<void>(() => undefined) : undefined));
      await Promise.all(numbers(10).map((n) => rig.publisher.publish(rig.subject(), n)));
      await first.until(7);
      await first.processor.close();
      const second = await rig.read(rig.subject(), options);
      await second.until(4);
      const seen = await rig.fence(second);
      assert.equal(
        seen.map(({ event }) => event),
        [6, 7, 8, 9],
      );
    },
  },
  {
    name: 'hands over again what was nakked, counted',
    needs: ['nak'],
    proves: ['nak'],
    run: async (rig) => {
      const calls: number[] = [];
      const reading = await rig.read(rig.subject(), {}, (_, delivery: Delivery) => {
        calls.push(delivery.redeliveries);
        if (calls.length < 3) delivery.nak(0);
      });
      await rig.publisher.publish(rig.subject(), 'again');
      await reading.until(3);
      assert.equal(calls, [0, 1, 2]);
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['again', 'again', 'again'],
      );
    },
  },
  {
    name: 'waits at least as long as a nak asks for',
    needs: ['nak'],
    proves: ['nak'],
    run: async (rig) => {
      const times: number[] = [];
      const reading = await rig.read(rig.subject(), {}, (_, delivery: Delivery) => {
        times.push(performance.now());
        if (times.length === 1) delivery.nak(NAK_MS);
      });
      await rig.publisher.publish(rig.subject(), 'later');
      await reading.until(2);
      assert.ok(times[1]! - times[0]! >= NAK_MS - 1, `it came after ${times[1]! - times[0]!} ms`); // 1 ms: timers count whole ones.
    },
  },
  {
    name: 'never hands over again what was termed, which is a dead letter',
    needs: ['term'],
    proves: ['term'],
    run: async (rig) => {
      const { durable, acks } = rig.capabilities;
      const kept = durable && acks ? { durable: 'terms', confirmAcks: true } : {};
      const reading = await rig.read(rig.subject(), kept, (event, delivery: Delivery) =>
        event === 'bad' ? delivery.term('of no use') : undefined,
      );
      const letters: string[] = [];
      reading.processor.on('deadletter', ({ message }) => void letters.push(message));
      await rig.publisher.publish(rig.subject(), 'bad');
      await rig.publisher.publish(rig.subject(), 'good');
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['bad', 'good'],
      );
      assert.is(letters.length, 1);
      assert.match(letters[0]!, 'of no use');
      if (!durable) return;
      await reading.subscription.drain();
      assert.equal(await rig.fence(await rig.read(rig.subject(), kept)), []);
    },
  },
  {
    name: 'makes a dead letter of what the handler fails on, once its attempts are spent, and goes on',
    run: async (rig) => {
      const handler = (event: unknown): void => {
        if (event === 'poison') throw new Error('it is poison');
      };
      const reading = await rig.read(rig.subject(), { maxAttempts: 3, backoffMs: 5 }, handler);
      const letters: string[] = [];
      reading.processor.on('deadletter', ({ message }) => void letters.push(message));
      await rig.publisher.publish(rig.subject(), 'poison');
      await rig.publisher.publish(rig.subject(), 'good');
      await rig.wait('the dead letter', () => letters.length === 1);
      assert.match(letters[0]!, 'it is poison');
      const seen = (await rig.fence(reading)).map(({ event }) => event);
      inAnyOrder(seen, ['good', 'poison', 'poison', 'poison']);
    },
  },
  {
    name: 'sees one delivery of an event that is handled for longer than the ack wait',
    needs: ['working'],
    proves: ['working'],
    once: true,
    run: async (rig) => {
      const handler = async (event: unknown): Promise<void> => {
        if (event === 'slow') await new Promise((resolve) => setTimeout(resolve, ACK_WAIT_MS * 2.5));
      };
      const reading = await rig.read(rig.subject(), { durable: 'slow', ackWaitMs: ACK_WAIT_MS }, handler);
      await rig.publisher.publish(rig.subject(), 'slow');
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['slow'],
      );
    },
  },
  {
    name: 'has no more handlers at work than asked for, and loses nothing by it',
    run: async (rig) => {
      let atWork = 0;
      let most = 0;
      const handler = async (): Promise<void> => {
        most = Math.max(most, (atWork += 1));
        await new Promise((resolve) => setImmediate(resolve));
        atWork -= 1;
      };
      const reading = await rig.read(rig.filter(), { concurrency: 4, maxInFlight: 100 }, handler);
      await Promise.all(numbers(100).map((n) => rig.publisher.publish(rig.spread(n), n)));
      await reading.until(100);
      eachOnce(reading.events, 100);
      assert.ok(most <= 4, `${most} at once`);
    },
  },
];
