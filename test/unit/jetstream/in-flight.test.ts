/** Credit is conserved, slots are given once, and an answer to a slot's former owner matches nothing. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CreditWindow } from '../../../src/processors/credit-window.ts';
import { PendingTable } from '../../../src/processors/jetstream/pending-table.ts';

const InFlight = suite('JetStream in flight');

InFlight('holds what a map would hold, over any claims, releases and late answers', () => {
  const step = fc.record({ claim: fc.boolean(), link: fc.nat(2), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, capacity) => {
      const table = new PendingTable(capacity);
      const live = new Map<number, { token: number; link: number; slot: number }>();
      const dead: { id: number; link: number }[] = [];
      steps.forEach(({ claim, link, pick }, token) => {
        if (claim) {
          const slot = table.claim(link, token, token * 10, 's');
          assert.is(slot < 0, live.size === capacity);
          if (slot >= 0) live.set(table.idOf(slot), { token, link, slot });
        } else if (live.size > 0) {
          const [id, { token: expected, link: owner, slot }] = [...live][pick % live.size]!;
          assert.is(table.slotOf(id, owner), slot);
          assert.is(table.slotOf(id, owner + 1), -1);
          assert.equal([table.token(slot), table.bytes(slot)], [expected, expected * 10]);
          table.release(slot);
          live.delete(id);
          dead.push({ id, link: owner });
        }
        for (const { id, link: owner } of dead) assert.is(table.slotOf(id, owner), -1);
      });
      assert.is(table.size, live.size);
      const tokens = table.onLink(1).map((slot) => table.token(slot));
      const expected = [...live.values()].filter(({ link }) => link === 1).map(({ token }) => token);
      assert.equal(
        tokens,
        expected.sort((a, b) => a - b),
      );
    }),
  );
});

InFlight('times out what was sent before the deadline, and starts the clock again for what has not left', () => {
  const table = new PendingTable(4);
  const sent = [
    { at: 0, flush: 1 },
    { at: 0, flush: 2 },
    { at: 90, flush: 1 },
  ];
  for (const [token, { at, flush }] of sent.entries()) table.sent(table.claim(0, token, 1, 's'), at, flush);
  const first = table.expired(0, { deadlineMs: 50, nowMs: 100, flushDone: 1 });
  assert.equal(
    first.map((slot) => table.token(slot)),
    [0],
  );
  first.forEach((slot) => table.release(slot));
  const later = table.expired(0, { deadlineMs: 95, nowMs: 145, flushDone: 2 });
  assert.equal(
    later.map((slot) => table.token(slot)),
    [2],
  );
});

InFlight('admits one message of any size, and otherwise keeps to both limits', () => {
  const window = new CreditWindow({ messagesMax: 3, bytesMax: 100, latencyMsMax: 50 }, () => undefined);
  assert.equal(
    [500, 1].map((bytes) => window.tryTake(bytes)),
    [true, false],
  );
  window.give(500);
  assert.equal(
    [60, 41, 40, 0, 0].map((bytes) => window.tryTake(bytes)),
    [true, false, true, true, false],
  );
});

InFlight('halves when told to slow down, once per window, and grows back while acks are quick', () => {
  const window = new CreditWindow({ messagesMax: 100, bytesMax: 1e9, latencyMsMax: 50 }, () => undefined);
  for (let taken = 0; taken < 10; taken++) window.tryTake(1);
  window.congested();
  window.congested();
  assert.is(window.share, 0.5);
  for (let given = 0; given < 10; given++) window.give(1);
  for (let ack = 0; ack < 100; ack++) window.acked(1);
  assert.is(window.share, 1);
  for (let ack = 0; ack < 100; ack++) window.acked(51);
  assert.is(window.share, 1 / 64);
  assert.ok(window.tryTake(1));
  assert.not.ok(window.tryTake(1));
});

InFlight('wakes a writer it turned away once, when a quarter is free, or at once when the connection is back', () => {
  let woken = 0;
  const window = new CreditWindow({ messagesMax: 4, bytesMax: 100, latencyMsMax: 50 }, () => woken++);
  window.wakeNow();
  assert.is(woken, 0);
  const bytes = [10, 20, 30, 40];
  for (const taken of bytes) window.tryTake(taken);
  assert.is(window.starve(), false);
  const counts = bytes.map((given) => {
    window.give(given);
    window.wake();
    return woken;
  });
  assert.equal(counts, [0, 1, 1, 1]);
  for (const taken of bytes) window.tryTake(taken);
  window.starve();
  window.wakeNow();
  assert.is(woken, 2);
});

InFlight.run();
