/** A message that comes again is known by what it is, whatever the broker says of how often it came; a stream made anew has other messages. */
import * as assert from 'uvu/assert';
import { MessageInHand } from '../../../src/engine/inbound-message.ts';
import { MessageKeeper } from '../../../src/engine/message-keeper.ts';
import type { BrokerReader, InboundMessage } from '../../../src/processors/broker.ts';
import { timedSuite } from '../../harness/timeout.ts';

const Keeper = timedSuite('MessageKeeper', { timeoutMs: 5_000 });

interface Coming {
  readonly sequence: number;
  readonly partition?: number;
  readonly timeMs: number;
  readonly redeliveries: number;
}

const first: Coming = { sequence: 5, timeMs: 1_000, redeliveries: 0 };

const messageOf = (coming: Coming, handle: string): InboundMessage => ({
  ...coming,
  subject: 's',
  payload: Uint8Array.of(0x90),
  handle,
  header: () => undefined,
  headers: () => ({}),
});

const cases: readonly { readonly name: string; readonly before?: Coming; readonly again: Coming; readonly known: boolean }[] = [
  { name: 'redelivered, and said so', again: { ...first, redeliveries: 1 }, known: true },
  { name: 'delivered by a broker that has forgotten that it did', again: first, known: true },
  { name: 'the next', again: { ...first, sequence: 6 }, known: false },
  { name: 'one before it that never came', again: { ...first, sequence: 4 }, known: false },
  { name: 'of a stream made anew', again: { ...first, timeMs: 2_000 }, known: false },
  { name: 'of another partition', before: { ...first, partition: 0 }, again: { ...first, partition: 1 }, known: false },
  { name: 'of a partition that is back', before: { ...first, partition: 3 }, again: { ...first, partition: 3 }, known: false },
  {
    name: 'of a partition, redelivered',
    before: { ...first, partition: 3 },
    again: { ...first, partition: 3, redeliveries: 1 },
    known: true,
  },
];

for (const { name, before = first, again, known } of cases)
  for (const done of [true, false])
    Keeper(`${name}, while it is ${done ? 'done' : 'in hand'}`, () => {
      const acked: unknown[] = [];
      const keeper = new MessageKeeper({ ackWaitMs: 60_000, noAck: false });
      keeper.attach({ ack: (handle: unknown) => void acked.push(handle) } as BrokerReader);
      const arriving = messageOf(before, 'first');
      assert.is(keeper.isKnown(arriving), false);
      const message = new MessageInHand(arriving);
      keeper.take(message);
      if (done) keeper.done(message);
      assert.is(keeper.isKnown(messageOf(again, 'again')), known);
      if (!done) keeper.done(message);
      keeper.close();
      assert.equal(acked, done ? (known ? ['first', 'again'] : ['first']) : [known ? 'again' : 'first']);
    });

Keeper('without acks, and without sequences, nothing is known', () => {
  for (const [noAck, sequence] of [
    [true, 5],
    [false, 0],
  ] as const) {
    const keeper = new MessageKeeper({ ackWaitMs: 60_000, noAck });
    keeper.attach({ ack: () => undefined } as unknown as BrokerReader);
    const message = messageOf({ ...first, sequence }, 'h');
    keeper.done(new MessageInHand(message));
    assert.is(keeper.isKnown(message), false);
    assert.is(keeper.isKnown(message), false);
    keeper.close();
  }
});

Keeper.run();
