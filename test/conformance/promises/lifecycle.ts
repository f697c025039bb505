/** From open to closed: every promise settles, whatever was under way, and a closed processor says so. */
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/index.ts';
import { connect } from '../../../src/index.ts';
import { eachOnce, failsWith, inOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';
import type { Rig } from '../rig.ts';

/** At this rate the second event is an hour away. */
async function endsAborted(rig: Rig): Promise<void> {
  const stop = new AbortController();
  const events: unknown[] = [];
  for await (const { event } of rig.publisher.replay({ subject: rig.subject(), rate: 1 / 3_600, signal: stop.signal })) {
    events.push(event);
    setImmediate(() => stop.abort());
  }
  assert.equal(events, [1]);
}

export const lifecyclePromises: readonly Promised[] = [
  {
    name: 'closes twice, and refuses everything afterwards',
    run: async (rig) => {
      const processor = await rig.connect();
      await Promise.all([processor.close(), processor.close()]);
      await processor.close();
      await failsWith('MILLRACE_CLOSED', 'publish', () => processor.publish(rig.subject(), 1));
      await failsWith('MILLRACE_CLOSED', 'tryPublish', () => processor.tryPublish(rig.subject(), 1));
      await failsWith('MILLRACE_CLOSED', 'ingest', () => processor.ingest([{}]));
      await failsWith('MILLRACE_CLOSED', 'subscribe', () => processor.subscribe(rig.subject(), () => undefined));
      await failsWith('MILLRACE_CLOSED', 'replay', () => processor.replay({ subject: rig.subject() }));
      const { ok, state } = await processor.health();
      assert.equal([ok, state, processor.stats().state], [false, 'closed', 'closed']);
      assert.is((await processor.drain()).inFlight, 0);
    },
  },
  {
    name: 'settles every publish that a close cuts off, and has stored what it acked',
    run: async (rig) => {
      const processor = await rig.connect();
      await processor.publish(rig.subject('primer'), 'so that the stream is known');
      const reading = await rig.read(rig.subject());
      const publishes = numbers(300).map((n) => processor.publish(rig.subject(), n).then(() => n));
      const all = Promise.allSettled(publishes);
      await Promise.race(publishes).catch(() => undefined);
      await processor.close();
      const settled = await all;
      const acked = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      for (const one of settled)
        if (one.status === 'rejected') assert.match((one.reason as MillraceError).code, /^MILLRACE_(CLOSED|PUBLISH_UNKNOWN)$/);
      const { accepted, failed, inFlight, acked: count } = processor.stats();
      assert.equal([count - 1, accepted, inFlight], [acked.length, count + failed, 0]);
      const seen = (await rig.fence(reading)).map(({ event }) => Number(event));
      assert.equal(
        seen,
        [...new Set(seen)].toSorted((a, b) => a - b),
      );
      assert.equal(
        acked.filter((n) => !seen.includes(n)),
        [],
        'acked and not stored',
      );
    },
  },
  {
    name: 'closes when nobody reads, and with a reader that never answers',
    run: async (rig) => {
      const processor = await rig.connect();
      await Promise.all(numbers(50).map((n) => processor.publish(rig.subject('unheard'), n)));
      const reading = await rig.readOn(processor, rig.subject(), { handler: () => new Promise<void>(() => undefined) });
      await rig.publisher.publish(rig.subject(), 1);
      await reading.until(1);
      await processor.close();
      await reading.subscription.closed;
      assert.is(processor.stats().inFlight, 0);
    },
  },
  {
    name: 'opens again after a close',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      for (const n of numbers(3)) {
        const processor = await rig.connect();
        await processor.publish(rig.subject(), n);
        await processor.close();
      }
      inOrder(
        (await rig.fence(reading)).map(({ event }) => event),
        3,
      );
    },
  },
  {
    name: 'drains under load: nothing that was taken is lost',
    run: async (rig) => {
      const processor = await rig.connect();
      await processor.publish(rig.subject('primer'), 'so that the stream is known');
      const reading = await rig.read(rig.subject());
      const publishes = numbers(500).map((n) => processor.publish(rig.subject(), n));
      const ledger = await processor.drain();
      await Promise.all(publishes);
      const { accepted, acked, failed, inFlight } = ledger;
      assert.equal({ accepted, acked, failed, inFlight }, { accepted: 501, acked: 501, failed: 0, inFlight: 0 });
      eachOnce(
        (await rig.fence(reading)).map(({ event }) => event),
        500,
      );
      await failsWith('MILLRACE_CLOSED', 'publish after a drain', () => processor.publish(rig.subject(), 1));
    },
  },
  {
    name: 'finishes what a subscription has in hand when it drains',
    run: async (rig) => {
      let finished = 0;
      const handler = async (): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        finished += 1;
      };
      const reading = await rig.read(rig.subject(), {}, handler);
      await Promise.all(numbers(5).map((n) => rig.publisher.publish(rig.subject(), n)));
      await reading.until(1);
      await reading.subscription.drain();
      assert.is(finished, reading.events.length);
      assert.is(reading.subscription.received, reading.events.length);
    },
  },
  {
    name: 'ends what is aborted: a connect, a subscription, a replay',
    run: async (rig) => {
      const aborted = AbortSignal.abort();
      await failsWith('MILLRACE_ABORTED', 'connect', () => connect(rig.url, { signal: aborted, env: {} }));
      const stop = new AbortController();
      const reading = await rig.read(rig.subject(), { signal: stop.signal });
      await rig.publisher.publish(rig.subject(), 1);
      await reading.until(1);
      stop.abort();
      await reading.subscription.closed;
      await rig.publisher.publish(rig.subject(), 2);
      assert.equal(reading.events, [1]);
      if (rig.capabilities.replay) await endsAborted(rig);
    },
  },
  {
    name: 'says that it is healthy, and how it is stored',
    run: async (rig) => {
      const { ok, state, rttMs, server, reasons } = await rig.publisher.health();
      assert.equal({ ok, state, reasons }, { ok: true, state: 'open', reasons: [] });
      assert.ok(rttMs !== null && server !== null);
      assert.is(rig.publisher.kind, rig.setup.kind);
    },
  },
];
