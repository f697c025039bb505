/** An id: its second copy is told and not stored; an id whose event was refused is free again. */
import * as assert from 'uvu/assert';
import { failsWith, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';

export const dedupePromises: readonly Promised[] = [
  {
    name: 'tells the second copy of an id, and stores the first only',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const first = await rig.publisher.publish(rig.subject(), 'first', { id: 'one' });
      const second = await rig.publisher.publish(rig.subject(), 'second', { id: 'one' });
      assert.equal([first.duplicate, second.duplicate], [false, true]);
      assert.is(rig.publisher.stats().duplicates, 1);
      const seen = await rig.fence(reading);
      assert.equal(
        seen.map(({ event, id }) => [event, id]),
        [['first', 'one']],
      );
    },
  },
  {
    name: 'stores one of many copies that are under way at once',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const receipts = await Promise.all(numbers(60).map((n) => rig.publisher.publish(rig.subject(), n % 20, { id: `id-${n % 20}` })));
      assert.is(receipts.filter(({ duplicate }) => duplicate).length, 40);
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        numbers(20),
      );
    },
  },
  {
    name: 'knows an id that a process before it has published',
    needs: ['dedupe'],
    proves: ['dedupe'],
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const before = await rig.connect();
      await before.publish(rig.subject(), 'theirs', { id: 'shared' });
      await before.close();
      const after = await rig.connect();
      assert.is((await after.publish(rig.subject(), 'ours', { id: 'shared' })).duplicate, true);
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['theirs'],
      );
    },
  },
  {
    name: 'takes an id again whose event was refused',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const copies = [new Uint8Array(rig.setup.eventBytesOver), 'fits', 'too late'].map((event) =>
        rig.publisher.publish(rig.subject(), event, { id: 'again' }),
      );
      const settled = await Promise.allSettled(copies);
      await failsWith('MILLRACE_EVENT_TOO_LARGE', 'the first copy', () => copies[0]);
      assert.equal(
        settled.slice(1).map((one) => (one.status === 'fulfilled' ? one.value.duplicate : one.reason)),
        [false, true],
      );
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['fits'],
      );
    },
  },
];
