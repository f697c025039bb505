/** Calls are taken in the order they were made, whatever each had to wait for. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CallTurns } from '../../../src/engine/call-turns.ts';

const TurnsSuite = suite('CallTurns');

/** Makes the calls at once; they become ready in the order of `readyOrder`. Returns the order in which they were taken. */
async function taken(count: number, readyOrder: readonly number[], failing: ReadonlySet<number> = new Set()): Promise<number[]> {
  const turns = new CallTurns();
  const order: number[] = [];
  const resolvers: ((fails: boolean) => void)[] = [];
  const calls = Array.from({ length: count }, async (_, index) => {
    const ready = new Promise<void>((resolve, reject) => resolvers.push((fails) => (fails ? reject(new Error('not ready')) : resolve())));
    const leave = await turns.enter(ready);
    order.push(index);
    leave();
  });
  for (const index of readyOrder) resolvers[index]!(failing.has(index));
  await Promise.allSettled(calls);
  assert.is(turns.busy, false);
  return order;
}

const cases = [
  { name: 'ready in order', count: 3, ready: [0, 1, 2], expected: [0, 1, 2] },
  { name: 'ready in reverse', count: 4, ready: [3, 2, 1, 0], expected: [0, 1, 2, 3] },
  { name: 'one that fails lets the next ones through', count: 3, ready: [2, 1, 0], fails: [1], expected: [0, 2] },
];
for (const { name, count, ready, fails = [], expected } of cases) {
  TurnsSuite(name, async () => assert.equal(await taken(count, ready, new Set(fails)), expected));
}

TurnsSuite('is busy while a call waits', async () => {
  const turns = new CallTurns();
  const leave = await turns.enter(Promise.resolve());
  assert.is(turns.busy, true);
  leave();
  assert.is(turns.busy, false);
});

TurnsSuite.run();
