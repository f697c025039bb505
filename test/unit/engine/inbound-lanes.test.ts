/** Lanes of the inbound ring: slabs behind the one at work, fairness between lanes, and a slab that is seen to be done. */
import * as assert from 'uvu/assert';
import { rig, stopRigs } from './inbound-rig.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';

const Lanes = timedSuite('lanes of InboundSlabs');
Lanes.after(stopRigs);

Lanes('a lane fills spare slabs behind the one at work, and asks for no more while it has few of them left', async () => {
  const one = rig();
  const fill = 'x'.repeat(40_000); // One a slab.
  const arrive = (sequence: number): void => one.arrive(sequence, { events: [{ sequence, fill }] });
  arrive(1);
  await waitFor('a task', () => one.held.length === 1);
  const filled = [2, 3, 4, 5, 6].map((sequence) => (arrive(sequence), one.slabs.full));
  assert.equal(filled, [false, false, false, true, true]); // Its own, two spares, and the two that are kept for what is on its way.
  await one.work();
  assert.is(one.slabs.full, true);
  await one.work();
  assert.is(one.slabs.full, false);
  while (one.done_.length < 6) await one.work();
  assert.equal(one.done_, [1, 2, 3, 4, 5, 6]);
});

Lanes('a lane with much to do leaves every other its own slabs', async () => {
  const one = rig({ concurrency: 8 });
  const fill = 'x'.repeat(40_000);
  for (let sequence = 1; sequence <= 50; sequence += 1) one.arrive(sequence, { subject: 'busy', events: [{ sequence, fill }] });
  await waitFor('the busy lane', () => one.held.length === 1);
  for (let sequence = 51; sequence <= 90; sequence += 1) one.arrive(sequence, { subject: `s${sequence}` });
  await waitFor('all eight lanes', () => one.held.length === 8);
  while (one.done_.length < 90) await one.work();
});

Lanes('a slab that is done counts with the next message, and what the pool says of it later is no news', async () => {
  for (const told of ['done', 'died'] as const) {
    const one = rig();
    one.arrive(1);
    const first = await one.workUntold();
    assert.equal(one.done_, []);
    one.arrive(2);
    assert.equal([one.done_, one.handed], [[1], 1]);
    const second = await waitFor('the next task', () => one.held[0]);
    if (told === 'done') first.resolve();
    else first.reject(new Error('the thread has ended'));
    await new Promise((turned) => setImmediate(turned));
    assert.equal([one.held.length, one.held[0] === second, one.done_], [1, true, [1]]);
    await one.work();
    assert.equal([one.handled, one.done_, one.handed], [[1, 2], [1, 2], 2]);
  }
});
Lanes.run();
