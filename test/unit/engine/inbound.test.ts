/** Acks: once, after all events of a message, with the newest handle, after the dead letter; and the reader is paused before memory grows. */
import * as assert from 'uvu/assert';
import type { Delivery } from '../../../src/api/event.ts';
import { DeadLetterDesk } from '../../../src/engine/dead-letter-desk.ts';
import { Inbound } from '../../../src/engine/inbound.ts';
import type { InboundOptions } from '../../../src/engine/inbound.ts';
import { Lanes } from '../../../src/engine/lanes.ts';
import type { Refusals } from '../../../src/engine/refusals.ts';
import { packEvent } from '../../../src/codec/msgpack.ts';
import type { BrokerReader, InboundMessage } from '../../../src/processors/broker.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';

class FakeReader implements BrokerReader {
  readonly acked: unknown[] = [];
  readonly kept: unknown[] = [];
  paused = false;
  ack(handle: unknown): void {
    this.acked.push(handle);
  }
  nak(): void {}
  term(): void {}
  working(handle: unknown): void {
    this.kept.push(handle);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

interface Message {
  readonly sequence: number;
  readonly handle?: string;
  readonly redeliveries?: number;
  readonly partition?: number;
  readonly subject?: string;
  /** A batch of them. */
  readonly events?: readonly unknown[];
}

function messageOf({
  sequence,
  handle = `h${sequence}`,
  redeliveries = 0,
  partition,
  subject = 's',
  events = [sequence],
}: Message): InboundMessage {
  const headers = { 'Content-Type': 'application/msgpack', 'Millrace-Count': String(events.length) };
  const all: Record<string, string> = headers;
  return {
    subject,
    payload: packEvent(events),
    sequence,
    timeMs: 0,
    redeliveries,
    handle,
    ...(partition === undefined ? {} : { partition }),
    header: (name) => all[name],
    headers: () => headers,
  };
}

/** Deliveries are held until the test settles them. */
class Rig {
  readonly reader = new FakeReader();
  readonly held: Delivery[] = [];
  readonly letters: string[] = [];
  diskFull = false;
  readonly inbound: Inbound;

  constructor(options: Partial<InboundOptions> & { readonly concurrency?: number } = {}) {
    const refusals = {
      refuseDelivery: ({ error }: { readonly error: Error }) => void this.letters.push(error.message),
      flush: () => (this.diskFull ? Promise.reject(new Error('no space')) : Promise.resolve()),
    } as unknown as Refusals;
    const desk = new DeadLetterDesk(refusals, 'letters', null);
    this.inbound = new Inbound(
      { maxInFlight: 10, ackWaitMs: 60_000, maxAttempts: 2, backoffMs: 0, noAck: false, ...options },
      {
        desk,
        onEnd: () => undefined,
        absent: { kind: 'jetstream', messages: {} },
      },
    );
    const consumer = { auto: false, take: (delivery: Delivery) => void this.held.push(delivery) };
    this.inbound.use(new Lanes(this.inbound, { consumer, concurrency: options.concurrency ?? 1 }));
    this.inbound.attach(this.reader);
  }

  arrive(message: Message): void {
    this.inbound.message(messageOf(message));
  }

  get events(): unknown[] {
    return this.held.map(({ event }) => event);
  }
}

const InboundSuite = timedSuite('Inbound');
const rigs: Rig[] = [];
const rig = (options?: ConstructorParameters<typeof Rig>[0]): Rig => {
  const made = new Rig(options);
  rigs.push(made);
  return made;
};
InboundSuite.after(() => rigs.forEach(({ inbound }) => inbound.stop()));

InboundSuite('acks a message once, when each of its events is done', () => {
  const { reader, held, ...one } = rig();
  one.inbound.message(messageOf({ sequence: 1, events: ['a', 'b', 'c'] }));
  held[2]!.ack();
  held[0]!.ack();
  held[0]!.ack();
  assert.equal(reader.acked, []);
  held[1]!.ack();
  assert.equal(reader.acked, ['h1']);
});

InboundSuite('a message that comes again while it is in hand runs only what is not settled, and is acked by its newest handle', () => {
  const one = rig();
  one.arrive({ sequence: 1, events: ['a', 'b'] });
  one.held[0]!.ack();
  one.arrive({ sequence: 1, events: ['a', 'b'], redeliveries: 1, handle: 'newer' });
  assert.equal(one.events, ['a', 'b']);
  one.held[1]!.ack();
  assert.equal(one.reader.acked, ['newer']);
});

InboundSuite('a message that comes again after its ack is acked again, and not handed over', () => {
  const one = rig();
  one.arrive({ sequence: 1 });
  one.held[0]!.ack();
  one.arrive({ sequence: 1, redeliveries: 1, handle: 'again' });
  assert.equal([one.events, one.reader.acked], [[1], ['h1', 'again']]);
});

InboundSuite('sequences of partitions are apart', () => {
  const one = rig();
  one.arrive({ sequence: 1, partition: 0, events: ['a'] });
  one.held[0]!.ack();
  one.arrive({ sequence: 1, partition: 1, events: ['b'], redeliveries: 1, handle: 'other' });
  assert.equal(one.events, ['a', 'b']);
});

InboundSuite('nak brings the event back as it stood in its bytes, and then it is a dead letter', async () => {
  const one = rig();
  one.arrive({ sequence: 1, events: [{ n: 1 }, { n: 2 }] });
  (one.held[1]!.event as { n: number }).n = 99;
  one.held[1]!.nak();
  await waitFor('the second attempt', () => one.held.length === 3);
  assert.equal([one.held[2]!.event, one.held[2]!.index, one.held[2]!.redeliveries, one.held[2]!.isLastOfMessage], [{ n: 2 }, 1, 1, true]);
  one.held[2]!.nak();
  assert.is(one.letters.length, 1);
  one.held[0]!.ack();
  await waitFor('the ack', () => one.reader.acked.length === 1);
});

InboundSuite('no ack before the dead letter is safe', async () => {
  const one = rig();
  one.diskFull = true;
  one.arrive({ sequence: 1 });
  one.held[0]!.term('no');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal([one.letters, one.reader.acked], [['no'], []]);
  one.diskFull = false;
  await waitFor('the ack', () => one.reader.acked.length === 1);
  assert.is(one.letters.length, 1);
});

InboundSuite('pauses at maxInFlight events, by the word of the messages, and goes on at half', () => {
  const one = rig({ concurrency: 100 });
  for (let sequence = 1; sequence <= 4; sequence += 1) one.arrive({ sequence, subject: `s${sequence}`, events: ['a', 'b'] });
  assert.is(one.reader.paused, false);
  one.arrive({ sequence: 5, subject: 's5', events: ['a', 'b'] });
  assert.is(one.reader.paused, true);
  for (const delivery of one.held.slice(0, 4)) delivery.ack();
  assert.is(one.reader.paused, true);
  for (const delivery of one.held.slice(4)) delivery.ack();
  assert.is(one.reader.paused, false);
});

InboundSuite('drain pauses, and is over when the last event is settled', async () => {
  const one = rig();
  one.arrive({ sequence: 1 });
  let over = false;
  const drained = one.inbound.drained().then(() => (over = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal([one.reader.paused, over], [true, false]);
  one.held[0]!.ack();
  await drained;
});

InboundSuite('after stop nothing is handed over or acked', () => {
  const one = rig();
  one.arrive({ sequence: 1 });
  one.inbound.stop();
  one.held[0]!.ack();
  one.arrive({ sequence: 2 });
  assert.equal([one.events, one.reader.acked], [[1], []]);
});

InboundSuite('messages in hand are kept alive, others are not', async () => {
  const one = rig({ ackWaitMs: 60 });
  one.arrive({ sequence: 1 });
  one.arrive({ sequence: 2 });
  one.held[1]!.ack();
  await waitFor('working', () => one.reader.kept.length >= 2);
  assert.equal([...new Set(one.reader.kept)], ['h1']);
  one.held[0]!.ack();
});

InboundSuite('without acks nothing is kept or acked', () => {
  const one = rig({ noAck: true });
  one.arrive({ sequence: 1 });
  one.held[0]!.ack();
  one.arrive({ sequence: 1, redeliveries: 1 });
  assert.equal([one.events, one.reader.acked], [[1, 1], []]);
});

InboundSuite('an empty batch is done at once', () => {
  const one = rig();
  one.arrive({ sequence: 1, events: [] });
  assert.equal([one.events, one.reader.acked], [[], ['h1']]);
});
InboundSuite.run();
