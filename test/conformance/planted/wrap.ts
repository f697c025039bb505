/** A broker with some of its calls replaced; everything else goes to the real one below it. */
import type { Broker, InboundMessage, MessageReceiver, OutboundMessage, PublishListener } from '../../../src/processors/broker.ts';
import { MillraceError } from '../../../src/index.ts';

export function wrap(inner: Broker, changes: Partial<Broker>): Broker {
  return new Proxy(inner, {
    get: (target, name) => {
      if (name in changes) return Reflect.get(changes, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      // Its private fields are the target's, not the proxy's.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Published on the way to a promise, and of no interest to a fault. */
export const isPrimer = ({ subject }: OutboundMessage): boolean => subject.endsWith('.primer');

/** The message beyond the call of `tryPublish`, and beyond its outcome. */
export function keep({ memory, start, payloadStart, end, ...rest }: OutboundMessage): OutboundMessage {
  return { ...rest, memory: memory.slice(start, end), start: 0, payloadStart: payloadStart - start, end: end - start };
}

/** The message beyond the call of `message`. */
export function keepInbound(message: InboundMessage): InboundMessage {
  const { subject, sequence, timeMs, redeliveries, handle } = message;
  const headers = message.headers();
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    subject,
    sequence,
    timeMs,
    redeliveries,
    handle,
    payload: message.payload.slice(),
    header: (name) => values.get(name.toLowerCase()),
    headers: () => headers,
  };
}

export const messageId = ({ memory, start, payloadStart }: OutboundMessage): string | undefined =>
  /^Nats-Msg-Id: (.*)\r$/m.exec(Buffer.from(memory.slice(start, payloadStart)).toString())?.[1];

/** Tokens of messages that nobody asked for begin here: their outcomes are told to nobody. */
const UNASKED = 2 ** 40;
let unasked = UNASKED;
export const unaskedToken = (): number => unasked++;

export function deaf(listener: PublishListener): PublishListener {
  return {
    acked: (token, sequence, duplicate) => void (token < UNASKED && listener.acked(token, sequence, duplicate)),
    failed: (token, error) => void (token < UNASKED && listener.failed(token, error)),
    unknown: (token, error) => void (token < UNASKED && listener.unknown(token, error)),
    writable: () => listener.writable(),
    state: (state, reason) => listener.state(state, reason),
    warning: (message) => listener.warning(message),
  };
}

export const receiving = (receiver: MessageReceiver, message: (message: InboundMessage) => void): MessageReceiver => ({
  message,
  ended: (error) => receiver.ended(error),
});

/** A broker with a limit of its own, as servers have: what is larger reaches it and is refused. */
export function limited(inner: Broker, bytesMax: number): Broker {
  let listener: PublishListener;
  return wrap(inner, {
    open: (given, signal) => inner.open((listener = given), signal),
    tryPublish: (message, token) => {
      if (message.end - message.start <= bytesMax) return inner.tryPublish(message, token);
      queueMicrotask(() => listener.failed(token, new MillraceError('MILLRACE_EVENT_TOO_LARGE', `more than ${bytesMax} B`)));
      return true;
    },
  });
}
