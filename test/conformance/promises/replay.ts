/** History again: from a sequence or a time, to the end that was there, at the rate that was asked for. */
import * as assert from 'uvu/assert';
import type { ReplayOptions } from '../../../src/index.ts';
import { inOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';
import type { Rig, Seen } from '../rig.ts';
import { snapshot } from '../rig.ts';

const EVENTS = 20;
const RATE = 200;

async function replayed(rig: Rig, options: ReplayOptions = {}): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const delivery of rig.publisher.replay({ subject: rig.subject(), ...options })) seen.push(snapshot(delivery));
  return seen;
}

const events = (seen: readonly Seen[]): unknown[] => seen.map(({ event }) => event);

export const replayPromises: readonly Promised[] = [
  {
    name: 'replays what is there, by sequence and by time, and ends',
    needs: ['replay'],
    proves: ['replay'],
    run: async (rig) => {
      assert.equal(await replayed(rig), []);
      for (const n of numbers(EVENTS)) await rig.publisher.publish(rig.subject(), n);
      const all = await replayed(rig);
      inOrder(events(all), EVENTS);
      const [from, to] = [all[5]!, all[9]!];
      assert.equal(events(await replayed(rig, { start: `seq:${from.sequence}`, until: `seq:${to.sequence}` })), [5, 6, 7, 8, 9]);
      const since = await replayed(rig, { start: `time:${from.time.toISOString()}` });
      assert.equal(events(since), numbers(since.length, EVENTS - since.length));
      for (const { time } of since) assert.ok(time >= from.time, 'older than asked for');
      assert.ok(events(since).includes(5), 'the event of that time is missing');
      const until = await replayed(rig, { until: `time:${to.time.toISOString()}` });
      assert.equal(events(until), numbers(until.length));
      assert.ok(until.length >= 10 && until.every(({ time }) => time <= to.time), 'newer than asked for, or not all');
    },
  },
  {
    name: 'replays no faster than the rate, and with the gaps there were',
    needs: ['replay'],
    proves: ['replay'],
    once: true,
    run: async (rig) => {
      for (const n of numbers(EVENTS)) await rig.publisher.publish(rig.subject(), n);
      const paused = performance.now();
      await rig.wait('a gap', () => performance.now() > paused + 100);
      await rig.publisher.publish(rig.subject(), EVENTS);
      const startedMs = performance.now();
      inOrder(events(await replayed(rig, { rate: RATE })), EVENTS + 1);
      assert.ok(performance.now() - startedMs >= (EVENTS * 1_000) / RATE - 1, 'faster than the rate');
      const againMs = performance.now();
      const seen = await replayed(rig, { rate: 'original' });
      const gapMs = seen.at(-1)!.time.getTime() - seen[0]!.time.getTime();
      assert.ok(gapMs >= 99 && performance.now() - againMs >= gapMs - EVENTS, `the gap of ${gapMs} ms was not kept`); // A timer may be early by less than 1 ms each.
    },
  },
];
