/** A message in hand: it is acked when each of its events is done, termed or dead-lettered, and not before. */
import type { Headers } from '../api/event.ts';
import type { DecodedMessage } from '../codec/decode.ts';
import type { InboundMessage } from '../processors/broker.ts';

/** One event of a message, with what its attempts need. */
export interface InboundEvent {
  readonly message: MessageInHand;
  readonly index: number;
  readonly id: string | null;
  readonly headers: Headers;
  readonly event: unknown;
  /** Attempts so far in this process. */
  attempts: number;
}

export class MessageInHand {
  /** What ack needs; a redelivery of a message still in hand brings a newer one. */
  handle: unknown;
  redeliveries: number;
  readonly subject: string;
  readonly sequence: number;
  readonly timeMs: number;
  readonly payload: Uint8Array;
  readonly headers: Headers;
  /** Events in it, and how many of them are not settled. */
  events = 0;
  open = 0;
  takenMs: number = performance.now();

  /** `payload` is a private copy: the message's own view ends with the call that brought it. */
  constructor(inbound: InboundMessage, payload: Uint8Array) {
    this.handle = inbound.handle;
    this.redeliveries = inbound.redeliveries;
    this.subject = inbound.subject;
    this.sequence = inbound.sequence;
    this.timeMs = inbound.timeMs;
    this.payload = payload;
    this.headers = inbound.headers();
  }
}

/** The events of a decoded message, in order, each with its id where the message tells. */
export function eventsOf(message: MessageInHand, decoded: DecodedMessage, header: (name: string) => string | undefined): InboundEvent[] {
  const { headers } = message;
  if (decoded.form === 'envelope') {
    return decoded.items.map((item, index) => ({ message, index, id: item.id, headers: item.headers === null ? headers : { ...headers, ...item.headers }, event: item.event, attempts: 0 }));
  }
  if (decoded.form === 'single') return [{ message, index: 0, id: header('Nats-Msg-Id') ?? null, headers, event: decoded.event, attempts: 0 }];
  const rule = header('Millrace-Id');
  const path = rule?.startsWith('/') === true ? rule.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')) : null;
  return decoded.events.map((event, index) => ({ message, index, id: path === null ? null : idAt(event, path), headers, event, attempts: 0 }));
}

function idAt(event: unknown, path: readonly string[]): string | null {
  let value = event;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return null;
    value = (value as Record<string, unknown>)[part];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : null;
}
