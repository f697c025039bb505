/** Brokers that lie about a publish: lost, doubled, changed, out of order, acked too early, or dropped as a copy of what never was stored. */
import type { Broker, OutboundMessage, PublishListener } from '../../../src/processors/broker.ts';
import { deaf, isPrimer, keep, messageId, unaskedToken, wrap } from './wrap.ts';

/** `happened` is told each time: a fault that never happens proves nothing. */
export interface Fault {
  readonly name: string;
  /** Names of promises, each of which must notice. */
  readonly caughtBy: readonly string[];
  readonly plant: (inner: Broker, happened: () => void) => Broker;
}

const ONCE_EACH = 'settles each publish with a receipt, and hands the event to a reader once';
const IN_ORDER = 'keeps the order of each subject when nobody waits between publishes';
const LATE_MS = 300;

type Try = (message: OutboundMessage, token: number, listener: PublishListener) => boolean;

/** Replaces `tryPublish` for messages that count. */
function publishing(inner: Broker, make: (pass: Broker['tryPublish']) => Try): Broker {
  let listener: PublishListener;
  const pass: Broker['tryPublish'] = (message, token) => inner.tryPublish(message, token);
  const attempt = make(pass);
  return wrap(inner, {
    open: (given, signal) => inner.open(deaf((listener = given)), signal),
    tryPublish: (message, token) => (isPrimer(message) ? pass(message, token) : attempt(message, token, listener)),
  });
}

const drops: Fault = {
  name: 'acks an event and drops it',
  caughtBy: [
    ONCE_EACH,
    IN_ORDER,
    'ingests bytes with framing each, every event once and in order',
    'drains under load: nothing that was taken is lost',
  ],
  plant: (inner, happened) =>
    publishing(inner, (pass) => {
      let count = 0;
      return (message, token, listener) => {
        if (++count !== 3) return pass(message, token);
        happened();
        queueMicrotask(() => listener.acked(token, 0, false));
        return true;
      };
    }),
};

const doubles: Fault = {
  name: 'stores an event twice',
  caughtBy: [ONCE_EACH, IN_ORDER, 'ingests objects'],
  plant: (inner, happened) =>
    publishing(inner, (pass) => (message, token) => {
      if (!pass(message, token)) return false;
      happened();
      return pass(keep(message), unaskedToken()) || true;
    }),
};

const reorders: Fault = {
  name: 'stores two events in the wrong order',
  caughtBy: [IN_ORDER, ONCE_EACH],
  plant: (inner, happened) =>
    publishing(inner, (pass) => {
      let held: { readonly message: OutboundMessage; readonly token: number } | null = null;
      let count = 0;
      return (message, token) => {
        if (++count === 2) {
          held = { message: keep(message), token };
          return true;
        }
        const taken = pass(message, token);
        // The next of the same subject goes first.
        if (taken && held !== null && held.message.subject === message.subject) {
          happened();
          pass(held.message, held.token);
          held = null;
        }
        return taken;
      };
    }),
};

const acksEarly: Fault = {
  name: 'acks an event before it is stored',
  caughtBy: ['settles every publish that a close cuts off, and has stored what it acked'],
  plant: (inner, happened) =>
    publishing(inner, (pass) => (message, token, listener) => {
      const kept = keep(message);
      happened();
      queueMicrotask(() => listener.acked(token, 0, false));
      setTimeout(() => pass(kept, unaskedToken()), LATE_MS).unref(); // Lost if it is closed before.
      return true;
    }),
};

const alters: Fault = {
  name: 'changes a byte of an event',
  caughtBy: ['carries bytes, empty values and every type of msgpack unchanged', 'carries 1,000,000 bytes'],
  plant: (inner, happened) =>
    publishing(inner, (pass) => (message, token) => {
      const kept = keep(message);
      if (kept.end - kept.payloadStart < 200) return pass(message, token);
      happened();
      kept.memory[kept.end - 100]! ^= 1;
      return pass(kept, token);
    }),
};

const losesHeaders: Fault = {
  name: 'leaves headers out',
  caughtBy: ['carries headers'],
  plant: (inner, happened) =>
    publishing(inner, (pass) => (message, token) => {
      happened();
      return pass({ ...message, start: message.payloadStart }, token);
    }),
};

const acksRefused: Fault = {
  name: 'acks what it has refused',
  caughtBy: ['refuses an event just over the limit with its code, and goes on', 'takes an id again whose event was refused'],
  plant: (inner, happened) =>
    wrap(inner, {
      open: (listener, signal) =>
        inner.open(
          {
            ...deaf(listener),
            failed: (token) => {
              happened();
              listener.acked(token, 0, false);
            },
          },
          signal,
        ),
    }),
};

const miscounts: Fault = {
  name: 'tells the sequence of another event',
  caughtBy: ['tells in the receipt the sequence that a reader sees'],
  plant: (inner, happened) =>
    wrap(inner, {
      open: (listener, signal) =>
        inner.open(
          {
            ...deaf(listener),
            acked: (token, sequence, duplicate) => {
              happened();
              listener.acked(token, sequence + 1, duplicate);
            },
          },
          signal,
        ),
    }),
};

const claimsForEver: Fault = {
  name: 'drops a copy as duplicate of a claim whose owner then failed',
  caughtBy: ['takes an id again whose event was refused'],
  plant: (inner, happened) =>
    publishing(inner, (pass) => {
      const claimed = new Set<string>();
      return (message, token, listener) => {
        const id = messageId(message);
        if (id === undefined || !claimed.has(id)) {
          if (id !== undefined) claimed.add(id);
          return pass(message, token);
        }
        happened();
        queueMicrotask(() => listener.acked(token, 0, true));
        return true;
      };
    }),
};

export const publishFaults: readonly Fault[] = [
  drops,
  doubles,
  reorders,
  acksEarly,
  alters,
  losesHeaders,
  acksRefused,
  miscounts,
  claimsForEver,
];
