/** The state of a read position as pure data: claims are leases, answers apply once, and its bytes come back as they were. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change, ConsumerState } from '../../../src/processors/embedded/consumer-state.ts';
import {
  applyChanges,
  claim,
  decodeState,
  encodeState,
  newState,
  nextDue,
  positionOf,
  release,
} from '../../../src/processors/embedded/consumer-state.ts';

const Suite = suite('consumer state');
const ME = 1;
const OTHER = 2;

/** A stream that ends at `last`; all match. */
const scanTo =
  (last: number) =>
  (state: ConsumerState, limit: number): number[] => {
    const found: number[] = [];
    while (state.cursor <= last && found.length < limit) found.push(state.cursor++);
    return found;
  };
const take = (state: ConsumerState, owner: number, nowMs: number, limit = 10): number[] =>
  claim(state, { owner, limit, nowMs, ackWaitMs: 100, noAck: false, scan: scanTo(3) }).map(({ sequence }) => sequence);

const changes: readonly {
  readonly name: string;
  readonly change: Change;
  readonly by: number;
  readonly at150: readonly number[];
  readonly at350: readonly number[];
}[] = [
  { name: 'done ends it', change: { kind: 'done', sequence: 2 }, by: ME, at150: [1, 3], at350: [1, 3] },
  {
    name: 'done by one whose lease passed on still ends it',
    change: { kind: 'done', sequence: 2 },
    by: OTHER,
    at150: [1, 3],
    at350: [1, 3],
  },
  { name: 'again brings it at its time', change: { kind: 'again', sequence: 2, atMs: 300 }, by: ME, at150: [1, 3], at350: [1, 2, 3] },
  { name: 'again at once', change: { kind: 'again', sequence: 2, atMs: 0 }, by: ME, at150: [1, 2, 3], at350: [1, 2, 3] },
  {
    name: 'again by another does nothing',
    change: { kind: 'again', sequence: 2, atMs: 300 },
    by: OTHER,
    at150: [1, 2, 3],
    at350: [1, 2, 3],
  },
  { name: 'extend keeps it', change: { kind: 'extend', sequence: 2, atMs: 300 }, by: ME, at150: [1, 3], at350: [1, 2, 3] },
  {
    name: 'a change to what is not pending is ignored',
    change: { kind: 'again', sequence: 9, atMs: 0 },
    by: ME,
    at150: [1, 2, 3],
    at350: [1, 2, 3],
  },
];
for (const { name, change, by, at150, at350 } of changes)
  Suite(name, () => {
    for (const [now, expected] of [
      [150, at150],
      [350, at350],
    ] as const) {
      const state = newState('>', 1);
      take(state, ME, 0);
      applyChanges(state, [change], by);
      assert.equal(take(state, OTHER, now), expected);
    }
  });

Suite('gives nothing twice while the lease lasts, the oldest due first when it has ended, new ones after', () => {
  const state = newState('>', 1);
  assert.equal(take(state, ME, 0, 2), [1, 2]);
  assert.equal(take(state, OTHER, 50, 2), [3]);
  assert.equal(take(state, OTHER, 99), []);
  assert.is(nextDue(state), 100);
  assert.equal(take(state, OTHER, 120), [1, 2]);
  assert.equal(
    [...state.pending.values()].map(({ deliveries }) => deliveries),
    [2, 2, 1],
  );
});

Suite('its position is below the lowest that is not done', () => {
  const state = newState('>', 1);
  assert.is(positionOf(state), 0);
  take(state, ME, 0);
  applyChanges(
    state,
    [
      { kind: 'done', sequence: 3 },
      { kind: 'done', sequence: 1 },
    ],
    ME,
  );
  assert.is(positionOf(state), 1);
  applyChanges(state, [{ kind: 'done', sequence: 2 }], ME);
  assert.is(positionOf(state), 3);
});

Suite('a reader that leaves gives back only its own', () => {
  const state = newState('>', 1);
  take(state, ME, 0, 1);
  take(state, OTHER, 0, 1);
  state.members.set(ME, 1).set(OTHER, 1);
  release(state, ME, 10);
  assert.equal(take(state, 3, 10, 1), [1]);
  assert.equal([...state.members.keys()], [OTHER]);
});

Suite('without acks nothing stays pending', () => {
  const state = newState('>', 1);
  const claims = claim(state, { owner: ME, limit: 10, nowMs: 0, ackWaitMs: 100, noAck: true, scan: scanTo(3) });
  assert.equal([claims.length, state.pending.size, positionOf(state)], [3, 0, 3]);
});

const safe = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
Suite('comes back from its bytes', () => {
  const pendings = fc.array(fc.tuple(safe, fc.record({ deliveries: uint32, visibleAt: safe, owner: uint32 }, { noNullPrototype: true })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      safe,
      pendings,
      fc.array(fc.tuple(uint32, safe), { maxLength: 5 }),
      (filter, cursor, pending, members) => {
        const state: ConsumerState = { filter, cursor, pending: new Map(pending), members: new Map(members) };
        assert.equal(decodeState(encodeState(state)), state);
      },
    ),
  );
});

const damaged = [
  { name: 'no bytes', bytes: Buffer.alloc(0) },
  { name: 'another format', bytes: Buffer.concat([Buffer.from([2]), encodeState(newState('>', 1)).subarray(1)]) },
  { name: 'bytes cut off', bytes: encodeState(newState('abc', 1)).subarray(0, -1) },
  { name: 'counts that lie', bytes: Buffer.from(encodeState(newState('>', 1)).fill(0xff, 16, 20)) },
];
for (const { name, bytes } of damaged) Suite(`refuses ${name}`, () => assert.throws(() => decodeState(bytes), /a durable's state/u));

Suite.run();
