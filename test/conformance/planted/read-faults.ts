/** Brokers that lie about a read: lost, doubled, out of order, acked before it is handled, or a position that is forgotten. */
import type { Broker, BrokerReader, InboundMessage, MessageReceiver } from '../../../src/processors/broker.ts';
import type { Fault } from './publish-faults.ts';
import { keepInbound, receiving, wrap } from './wrap.ts';

const ONCE_EACH = 'settles each publish with a receipt, and hands the event to a reader once';
const IN_ORDER = 'keeps the order of each subject when nobody waits between publishes';

type Hear = (message: InboundMessage, receiver: MessageReceiver) => void;

/** Replaces what a receiver is told; `make` is called for each read. */
function reading(inner: Broker, make: () => Hear): Broker {
  return wrap(inner, {
    consume: (request, receiver) => {
      const hear = make();
      return inner.consume(
        request,
        receiving(receiver, (message) => hear(message, receiver)),
      );
    },
  });
}

const drops: Fault = {
  name: 'does not hand over an event',
  caughtBy: [
    ONCE_EACH,
    IN_ORDER,
    'hands deliveries to a loop at its own pace',
    'replays what is there, by sequence and by time, and ends',
    'gives every reader that names no group its own copy',
  ],
  plant: (inner, happened) =>
    reading(inner, () => {
      let count = 0;
      return (message, receiver) => {
        if (++count === 2) happened();
        else receiver.message(message);
      };
    }),
};

const doubles: Fault = {
  name: 'hands over an event twice, as if it were another', // The same message again is known, and handled once.
  caughtBy: [ONCE_EACH, IN_ORDER],
  plant: (inner, happened) =>
    reading(inner, () => (message, receiver) => {
      const again = { ...keepInbound(message), timeMs: message.timeMs + 1 };
      receiver.message(message);
      happened();
      receiver.message(again);
    }),
};

const reorders: Fault = {
  name: 'hands over two events in the wrong order',
  caughtBy: [ONCE_EACH, IN_ORDER],
  plant: (inner, happened) =>
    reading(inner, () => {
      let held: InboundMessage | null = null;
      let count = 0;
      return (message, receiver) => {
        if (++count === 2) {
          held = keepInbound(message);
          return;
        }
        receiver.message(message);
        if (held === null) return;
        happened();
        receiver.message(held);
        held = null;
      };
    }),
};

const acksEarly: Fault = {
  name: 'acks an event before it is handled',
  caughtBy: ['hands over again, after a reader has gone, what it had not acked, and nothing that it had'],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: async (request, receiver) => {
        let reader: BrokerReader | null = null;
        const early: unknown[] = [];
        const hear = (message: InboundMessage): void => {
          happened();
          if (reader === null) early.push(message.handle);
          else reader.ack(message.handle);
          receiver.message(message);
        };
        reader = await inner.consume(request, receiving(receiver, hear));
        for (const handle of early) reader.ack(handle);
        return reader;
      },
    }),
};

const neverAcks: Fault = {
  name: 'never gives an ack to the broker',
  caughtBy: [
    'hands over again, after a reader has gone, what it had not acked, and nothing that it had',
    'goes on where a durable was, across a new process and whatever start it names',
  ],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: async (request, receiver) => {
        const reader = await inner.consume(request, receiver);
        return new Proxy(reader, {
          get: (target, name) => {
            if (name === 'ack') return happened;
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
      },
    }),
};

const forgets: Fault = {
  name: 'forgets where a durable was',
  caughtBy: ['goes on where a durable was, across a new process and whatever start it names'],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: (request, receiver) => {
        if (request.durable !== '') happened();
        return inner.consume({ ...request, durable: '' }, receiver);
      },
    }),
};

const everyoneGetsAll: Fault = {
  name: 'gives each member of a group everything',
  caughtBy: ['shares the work of a group: each event goes to one of its readers, and none is idle'],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: (request, receiver) => {
        if (request.queue !== '') happened();
        return inner.consume({ ...request, queue: '' }, receiver);
      },
    }),
};

const startsAnywhere: Fault = {
  name: 'starts at all, whatever was asked for',
  caughtBy: ['starts at new: what was there before is not seen', 'starts at all, last, a sequence, a time, and a while ago'],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: (request, receiver) => {
        if (request.start.kind !== 'all') happened();
        return inner.consume({ ...request, start: { kind: 'all' } }, receiver);
      },
    }),
};

const readsAll: Fault = {
  name: 'hands over every subject, whatever was asked for',
  caughtBy: ['reads by wildcard, and nothing else'],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: (request, receiver) => {
        happened();
        return inner.consume({ ...request, filter: '>' }, receiver);
      },
    }),
};

const leavesNothing: Fault = {
  name: 'takes what a member of a group has in hand for done when it leaves',
  caughtBy: ['gives the other members of a group what one that has left had in hand'],
  plant: (inner, happened) =>
    wrap(inner, {
      consume: async (request, receiver) => {
        const handles: unknown[] = [];
        const hear = (message: InboundMessage): void => {
          handles.push(message.handle);
          receiver.message(message);
        };
        const reader = await inner.consume(request, receiving(receiver, hear));
        return new Proxy(reader, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name, target);
            if (name !== 'close') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
            return async () => {
              happened();
              for (const handle of handles) target.ack(handle);
              await target.close();
            };
          },
        });
      },
    }),
};

const looksAway: Fault = {
  name: 'does not tell what is stored when it is asked',
  caughtBy: ['knows an id that a process before it has published', 'knows an id, in a new process too, after the broker was killed'],
  plant: (inner, happened) =>
    wrap(inner, {
      readBack: (request) => {
        happened();
        return inner.readBack!({ ...request, message: () => undefined });
      },
    }),
};

export const readFaults: readonly Fault[] = [
  drops,
  doubles,
  reorders,
  acksEarly,
  neverAcks,
  forgets,
  everyoneGetsAll,
  startsAnywhere,
  readsAll,
  leavesNothing,
  looksAway,
];
