/** The inbound ring against scripted threads: bounded, in order within a lane, and through with every event whatever a thread does. */
import * as assert from 'uvu/assert';
import { packEvent } from '../../../src/codec/msgpack.ts';
import { rig, stopRigs } from './inbound-rig.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';

const Slabs = timedSuite('InboundSlabs');
Slabs.after(stopRigs);

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
