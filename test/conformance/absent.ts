/** What a processor cannot do is refused with MILLRACE_NOT_SUPPORTED and the kinds that can; where nothing can be asked for, what comes instead is stated. */
import * as assert from 'uvu/assert';
import type { Delivery } from '../../src/index.ts';
import { kindsWith } from '../../src/processors/not-supported.ts';
import { failsWith } from './expect.ts';
import type { CapabilityName } from './promised.ts';
import type { Rig } from './rig.ts';

type Ask = (rig: Rig) => unknown;

async function first(iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of iterable) return;
}

/** What a handler asks of its delivery; rejects with what the call throws. */
const inHandler =
  (call: (delivery: Delivery) => void): Ask =>
  async (rig) => {
    const thrown: (Error | null)[] = [];
    await rig.read(rig.subject(), {}, (_, delivery) => {
      try {
        call(delivery);
        thrown.push(null);
      } catch (error) {
        thrown.push(error as Error);
      }
    });
    await rig.publisher.publish(rig.subject(), 'steered');
    await rig.wait('the call', () => thrown.length > 0);
    if (thrown[0] instanceof Error) throw thrown[0];
  };

/** How each capability is asked for. Null: it cannot be; a promise that runs everywhere says what holds without it. */
const asks: Readonly<Record<CapabilityName, readonly Ask[] | null>> = {
  persistent: null,
  ordered: null,
  durable: [(rig) => rig.publisher.subscribe(rig.subject(), () => undefined, { durable: 'name' })],
  replay: [
    (rig) => first(rig.publisher.replay({ subject: rig.subject() })),
    ...(['all', 'last', 'seq:1', 'ago:5m'] as const).map(
      (start): Ask =>
        (rig) =>
          rig.publisher.subscribe(rig.subject(), () => undefined, { start }),
    ),
  ],
  dedupe: null, // The window in shared memory knows the ids of this process in every kind.
  queueGroups: [(rig) => rig.publisher.subscribe(rig.subject(), () => undefined, { queue: 'name' })],
  acks: [(rig) => rig.publisher.subscribe(rig.subject(), () => undefined, { confirmAcks: true })],
  // A handler that merely throws is tried again by this process, and then a dead letter: a promise of its own, in every kind.
  nak: [inHandler((delivery) => delivery.nak()), inHandler((delivery) => delivery.nak(5))],
  term: [inHandler((delivery) => delivery.term('of no use'))],
  working: [inHandler((delivery) => delivery.working())],
  headers: null, // They travel within the payload.
  wildcards: [
    (rig) => rig.publisher.subscribe(rig.subject('>'), () => undefined),
    (rig) => rig.publisher.subscribe(rig.subject('*'), () => undefined),
  ],
  sequences: [],
};

export async function refusesWhatIsAbsent(rig: Rig): Promise<void> {
  for (const [name, tries] of Object.entries(asks) as [CapabilityName, readonly Ask[] | null][]) {
    if (rig.capabilities[name] || tries === null) continue;
    for (const ask of tries) {
      const error = await failsWith('MILLRACE_NOT_SUPPORTED', name, () => ask(rig));
      for (const kind of kindsWith[name]) assert.match(error.message, new RegExp(`\\b${kind}\\b`), `${name}: ${error.message}`);
    }
  }
  if (!rig.capabilities.sequences) assert.is((await rig.publisher.publish(rig.subject(), 1)).sequence, 0);
}
