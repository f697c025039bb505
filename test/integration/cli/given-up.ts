/** A letter of a handler: one event, with id and header, that it gave up. */
import type { EventProcessor } from '../../../src/index.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** Publishes it and waits until its letter is told; then the processor is closed. */
export async function giveUpOne(processor: EventProcessor): Promise<void> {
  await processor.publish('orders.new', { n: 9 }, { id: 'o-9', headers: { Colour: 'red' } });
  let given = 0;
  processor.on('deadletter', () => (given += 1));
  const subscription = await processor.subscribe('orders.new', (_, delivery) => delivery.term('no such customer'));
  await waitFor('the letter', () => given === 1);
  await subscription.drain();
  await processor.close();
}
