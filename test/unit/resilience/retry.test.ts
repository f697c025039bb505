/** Retry waits stay within their policy; the breaker opens, probes with one batch, and closes. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Breaker } from '../../../src/resilience/breaker.ts';
import { nextDelayMs } from '../../../src/resilience/retry.ts';

const Retry = suite('retry');
const policy = { maxAttempts: 5, backoffMs: 100, backoffMaxMs: 500 };
const almost = (): number => 0.999_999;

const waits = [
  { name: 'starts at the backoff', attempt: 1, random: almost, delay: 100 },
  { name: 'doubles', attempt: 2, random: almost, delay: 200 },
  { name: 'stops at the maximum', attempt: 4, random: almost, delay: 500 },
  { name: 'may come at once by jitter', attempt: 3, random: () => 0, delay: 0 },
  { name: 'ends with the budget', attempt: 5, random: almost, delay: null },
  { name: 'stays ended', attempt: 6, random: almost, delay: null },
];
for (const { name, attempt, random, delay } of waits) Retry(name, () => assert.is(nextDelayMs(attempt, policy, random), delay));

Retry('is within its bounds for every policy', () => {
  const property = fc.property(
    fc.nat(5_000),
    fc.nat(10_000),
    fc.nat(100_000),
    fc.double({ min: 0, max: 0.999_999_999, noNaN: true }),
    (attempt, backoffMs, backoffMaxMs, at) => {
      const delay = nextDelayMs(attempt, { maxAttempts: Number.POSITIVE_INFINITY, backoffMs, backoffMaxMs }, () => at);
      assert.ok(delay !== null && Number.isInteger(delay) && delay >= 0 && delay <= backoffMaxMs);
    },
  );
  fc.assert(property);
});

function breaker(): { readonly it: Breaker; readonly clock: { now: number }; readonly states: string[] } {
  const clock = { now: 0 };
  const states: string[] = [];
  const it = new Breaker({
    failuresMax: 3,
    openMs: 100,
    openMaxMs: 300,
    now: () => clock.now,
    onState: (state, failures) => states.push(`${state} ${failures}`),
  });
  return { it, clock, states };
}

Retry('opens after failures in a row only, probes with one, and closes', () => {
  const { it, clock, states } = breaker();
  it.failed();
  it.failed();
  it.succeeded();
  it.failed();
  it.failed();
  assert.is(it.tryPass(), true);
  it.failed();
  assert.equal([it.state, it.tryPass(), it.waitMs()], ['open', false, 100]);
  it.failed(); // Sent before it opened.
  clock.now = 100;
  assert.equal([it.waitMs(), it.tryPass(), it.tryPass()], [0, true, false]);
  it.succeeded();
  assert.equal([it.state, it.tryPass()], ['closed', true]);
  assert.equal(states, ['open 3', 'halfOpen 4', 'closed 0']);
});

Retry('stays open longer each time a probe fails, up to its maximum', () => {
  const { it, clock } = breaker();
  for (let turn = 0; turn < 3; turn += 1) it.failed();
  const lengths: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    lengths.push(it.waitMs());
    clock.now += it.waitMs();
    assert.is(it.tryPass(), true);
    it.failed();
  }
  assert.equal(lengths, [100, 200, 300, 300]);
});

Retry('lets another probe go when one was given up', () => {
  const { it, clock } = breaker();
  for (let turn = 0; turn < 3; turn += 1) it.failed();
  clock.now = 100;
  assert.equal([it.tryPass(), it.tryPass()], [true, false]);
  it.failed();
  clock.now = 300;
  assert.is(it.tryPass(), true);
  it.abandoned();
  assert.equal([it.state, it.tryPass()], ['halfOpen', true]);
});

Retry.run();
