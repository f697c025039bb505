/** After the broker was killed and came back: what was acked is there, readers go on, and the processors that were open work again. */
import * as assert from 'uvu/assert';
import { inOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';

export const restartPromises: readonly Promised[] = [
  {
    name: 'has every acked event after the broker was killed, and goes on publishing and reading',
    needs: ['persistent', 'durable'],
    proves: ['persistent', 'durable'],
    restarts: true,
    run: async (rig) => {
      const options = { durable: 'restart', confirmAcks: true };
      const first = await rig.read(rig.subject(), options);
      await Promise.all(numbers(100).map((n) => rig.publisher.publish(rig.subject(), n)));
      await first.until(100);
      await first.subscription.drain();
      await first.processor.close();
      await Promise.all(numbers(100, 100).map((n) => rig.publisher.publish(rig.subject(), n)));
      await rig.place.restart();
      await rig.publisher.publish(rig.subject(), 200); // By the processor that was open.
      const resumed = await rig.read(rig.subject(), options);
      await resumed.until(101);
      assert.equal(resumed.events.slice(0, 101), numbers(101, 100));
      const all = await rig.read(rig.subject(), { start: 'all' });
      inOrder(
        (await rig.fence(all)).map(({ event }) => event),
        201,
      );
    },
  },
  {
    name: 'connects again when its broker comes back',
    restarts: true,
    run: async (rig) => {
      const reading = await rig.read(rig.subject(), { start: 'new' });
      await rig.publisher.publish(rig.subject(), 'before');
      await reading.until(1);
      await rig.place.restart();
      await rig.wait('publisher and reader', async () => (await rig.publisher.health()).ok && (await reading.processor.health()).ok);
      await rig.publisher.publish(rig.subject(), 'after');
      await rig.wait(
        'what was published after it',
        () => reading.events.includes('after'),
        () => JSON.stringify(reading.events),
      );
      assert.is(new Set(reading.events).size, 2);
    },
  },
];
