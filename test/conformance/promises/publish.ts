/** What a publish promises: a true answer, the order of a subject, and each event once. */
import * as assert from 'uvu/assert';
import { eachOnce, failsWith, inOrder, numbers } from '../expect.ts';
import type { Promised } from '../promised.ts';

const SUBJECTS = 3;
const EVENTS = 100;

export const publishPromises: readonly Promised[] = [
  {
    name: 'settles each publish with a receipt, and hands the event to a reader once',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const receipts = await Promise.all(numbers(20).map((n) => rig.publisher.publish(rig.subject(), n)));
      for (const { subject, duplicate } of receipts) assert.equal({ subject, duplicate }, { subject: rig.subject(), duplicate: false });
      inOrder(
        (await rig.fence(reading)).map(({ event }) => event),
        20,
      );
      const { acked, accepted } = rig.publisher.stats();
      assert.is(acked, accepted);
    },
  },
  {
    name: 'keeps the order of each subject when nobody waits between publishes',
    proves: ['ordered'],
    run: async (rig) => {
      const subjects = numbers(SUBJECTS).map((n) => rig.subject(`order${n}`));
      const readings = await Promise.all(subjects.map((subject) => rig.read(subject)));
      const receipts = numbers(EVENTS * SUBJECTS).map((n) => rig.publisher.publish(subjects[n % SUBJECTS]!, Math.floor(n / SUBJECTS)));
      await Promise.all(receipts);
      for (const [n, reading] of readings.entries())
        inOrder(
          (await rig.fence(reading, subjects[n]!)).map(({ event }) => event),
          EVENTS,
        );
    },
  },
  {
    name: 'tells in the receipt the sequence that a reader sees',
    needs: ['sequences'],
    proves: ['sequences'],
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const sequences: number[] = [];
      for (const n of numbers(10)) sequences.push((await rig.publisher.publish(rig.subject(), n)).sequence);
      const seen = await rig.fence(reading);
      assert.equal(
        seen.map(({ sequence }) => sequence),
        sequences,
      );
      assert.equal(
        sequences,
        sequences.toSorted((a, b) => a - b),
      );
      assert.is(new Set(sequences).size, 10);
    },
  },
  {
    name: 'hands a processor what it has published itself',
    run: async (rig) => {
      const reading = await rig.readOn(rig.publisher, rig.subject());
      await Promise.all(numbers(5).map((n) => rig.publisher.publish(rig.subject(), n)));
      inOrder(
        (await rig.fence(reading)).map(({ event }) => event),
        5,
      );
    },
  },
  {
    name: 'takes tryPublish at once and settles it before flush ends',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const before = rig.publisher.stats().acked;
      assert.equal(
        numbers(50).map((n) => rig.publisher.tryPublish(rig.subject(), n)),
        numbers(50).map(() => true),
      );
      await rig.publisher.flush();
      assert.is(rig.publisher.stats().acked, before + 50);
      inOrder(
        (await rig.fence(reading)).map(({ event }) => event),
        50,
      );
    },
  },
  {
    name: 'says false, and takes nothing, when every slab is full',
    run: async (rig) => {
      const processor = await rig.connect({ slabs: 2, slabBytes: 4_096 });
      const reading = await rig.read(rig.subject());
      await processor.publish(rig.subject('primer'), 'so that the stream is known');
      const taken: number[] = [];
      let refused = 0;
      for (const n of numbers(200))
        if (processor.tryPublish(rig.subject(), { n, pad: 'x'.repeat(500) })) taken.push(n);
        else refused += 1;
      assert.ok(refused > 0, 'the ring never was full');
      await processor.flush();
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => (event as { n: number }).n),
        taken,
      );
    },
  },
  {
    name: 'carries as many subjects as it is said to (10,000)',
    once: true,
    fills: true,
    run: async (rig) => {
      const count = rig.setup.subjects;
      const { wildcards } = rig.capabilities;
      const reading = await rig.read(wildcards ? rig.filter('many') : rig.subject(`many.s${count - 1}`));
      await Promise.all(numbers(count).map((n) => rig.publisher.publish(rig.subject(`many.s${n}`), n)));
      if (!wildcards) {
        const seen = await rig.fence(reading, rig.subject(`many.s${count - 1}`));
        assert.equal(
          seen.map(({ event }) => event),
          [count - 1],
        );
        return;
      }
      await reading.until(count);
      eachOnce(reading.events, count);
      for (const { event, subject } of reading.seen)
        if (subject !== rig.subject(`many.s${String(event)}`)) throw new Error(`${String(event)} came on ${subject}`);
    },
  },
  {
    name: 'refuses what is no subject, and goes on',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      for (const tail of ['a b', 'a..b', 'a.*', 'a.>', 'a.', 'a\r\nPUB x 1\r\nx', 'a\0', 'a\ud800'])
        await failsWith('MILLRACE_SUBJECT_INVALID', JSON.stringify(tail), () => rig.publisher.publish(rig.subject(tail), 'no'));
      await failsWith('MILLRACE_SUBJECT_INVALID', 'the empty subject', () => rig.publisher.publish('', 'no'));
      assert.equal(await rig.fence(reading), []);
    },
  },
  {
    name: 'carries a unicode subject, or refuses it',
    run: async (rig) => {
      for (const tail of ['größe', '日本.東京', '🚀']) {
        const subject = rig.subject(tail);
        const refused = await rig.publisher.publish(subject, 'tried').then(
          () => null,
          (error: Error) => error,
        );
        if (refused !== null) {
          await failsWith('MILLRACE_SUBJECT_INVALID', subject, () => Promise.reject(refused));
          await failsWith('MILLRACE_SUBJECT_INVALID', subject, () => rig.publisher.subscribe(subject, () => undefined));
          continue;
        }
        const reading = await rig.read(subject, { start: 'new' });
        await rig.publisher.publish(subject, tail);
        await reading.until(1);
        assert.equal([reading.seen[0]!.subject, reading.seen[0]!.event], [subject, tail]);
      }
    },
  },
];
