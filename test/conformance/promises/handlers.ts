/** A handler by module runs in the pool (without workers, inline), and promises what a function does. */
import { BroadcastChannel } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { SubscribeOptions, Subscription } from '../../../src/index.ts';
import { inAnyOrder, inOrder, numbers } from '../expect.ts';
import { CHANNEL } from '../fixtures/handlers.ts';
import type { Told } from '../fixtures/handlers.ts';
import type { Promised } from '../promised.ts';
import type { Rig } from '../rig.ts';

const module = new URL('../fixtures/handlers.js', import.meta.url);
const SUBJECTS = 3;
const EVENTS = 100;

interface Handled {
  readonly told: Told[];
  readonly letters: string[];
  readonly subscriptions: readonly Subscription[];
}

/** Subscribes with a module's handler, and collects what its threads tell while `use` runs. */
async function withHandler(
  rig: Rig,
  name: string,
  options: SubscribeOptions & { readonly filters: readonly string[] },
  use: (handled: Handled) => Promise<void>,
): Promise<void> {
  // oxlint-disable-line max-params -- a block that is used
  const { filters, ...rest } = options;
  const channel = new BroadcastChannel(CHANNEL);
  try {
    const told: Told[] = [];
    const letters: string[] = [];
    channel.onmessage = ({ data }: { data: unknown }): void =>
      void ((data as Told).subject.startsWith(`${rig.name}.`) && told.push(data as Told));
    const processor = await rig.connect();
    processor.on('deadletter', ({ message }) => void letters.push(message));
    const subscriptions = await Promise.all(filters.map((filter) => processor.subscribe(filter, { module, export: name }, rest)));
    await use({ told, letters, subscriptions });
  } finally {
    channel.close();
  }
}

export const handlerPromises: readonly Promised[] = [
  {
    name: 'runs a handler by module, each event once and in the order of its subject',
    run: async (rig) => {
      const subjects = numbers(SUBJECTS).map((n) => rig.subject(`h.s${n}`));
      const filters = rig.capabilities.wildcards ? [rig.filter('h')] : subjects;
      await withHandler(rig, 'record', { filters, concurrency: 4 }, async ({ told, subscriptions }) => {
        await Promise.all(numbers(EVENTS * SUBJECTS).map((n) => rig.publisher.publish(subjects[n % SUBJECTS]!, Math.floor(n / SUBJECTS))));
        await rig.wait(
          'the handlers',
          () => told.length >= EVENTS * SUBJECTS,
          () => `${told.length} came`,
        );
        await Promise.all(subscriptions.map((subscription) => subscription.drain()));
        for (const wanted of subjects)
          inOrder(
            told.filter(({ subject }) => subject === wanted).map(({ event }) => event),
            EVENTS,
          );
        assert.is(
          subscriptions.reduce((sum, { received }) => sum + received, 0),
          EVENTS * SUBJECTS,
        );
      });
    },
  },
  {
    name: 'tries again what a handler by module fails on, then makes a dead letter of it, and goes on',
    run: async (rig) => {
      const filters = [rig.subject()];
      await withHandler(rig, 'picky', { filters, maxAttempts: 3, backoffMs: 5 }, async ({ told, letters }) => {
        for (const event of ['first', 'poison', 'last']) await rig.publisher.publish(rig.subject(), event);
        await rig.wait(
          'the dead letter',
          () => letters.length === 1 && told.length >= 5,
          () => JSON.stringify(told),
        );
        assert.match(letters[0]!, 'it is poison');
        inAnyOrder(
          told.map(({ event }) => event),
          ['first', 'last', 'poison', 'poison', 'poison'],
        );
        assert.equal(
          told.filter(({ event }) => event === 'poison').map(({ redeliveries }) => redeliveries),
          [0, 1, 2],
        );
      });
    },
  },
];
