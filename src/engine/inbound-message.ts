/** A message in hand: it is acked when each of its events is done, termed or dead-lettered, and not before. */
import type { Headers } from '../api/event.ts';
import type { InboundMessage } from '../processors/broker.ts';
import type { ElementForm } from '../../workers/inbound-message.ts';

const COUNT = /^\d{1,9}$/;

export class MessageInHand {
  /** What ack needs; a redelivery of a message still in hand brings a newer one. */
  handle: unknown;
  redeliveries: number;
  readonly subject: string;
  readonly sequence: number;
  /** Sequences count anew in each; -1 = there are none. */
  readonly partition: number;
  readonly timeMs: number;
  readonly headers: Headers;
  /** Parts of it that have not settled: events, or while nobody has looked into it, itself. */
  open = 1;
  /** Events it weighs against `maxInFlight`. */
  weight: number;
  /** The keeper's count of its rounds when it was taken. */
  round = 0;

  constructor(inbound: InboundMessage) {
    this.handle = inbound.handle;
    this.redeliveries = inbound.redeliveries;
    this.subject = inbound.subject;
    this.sequence = inbound.sequence;
    this.partition = inbound.partition ?? -1;
    this.timeMs = inbound.timeMs;
    this.headers = inbound.headers();
    this.weight = eventsClaimed(this.headers, inbound.payload.length);
  }
}

/** One event that is to be tried again, taken out of its message. */
export interface Retry {
  readonly message: MessageInHand;
  readonly index: number;
  /** Attempts so far in this process. */
  readonly attempts: number;
  readonly form: ElementForm;
  /** Its element of the batch, or the whole message where that is one event. */
  readonly raw: Uint8Array;
  /** A worker died over it: it runs with nothing beside it. */
  readonly alone: boolean;
}

let lastHeaders: Headers | null = null;
let lastCount = 1;

/** What the message says of itself, believed only as far as its bytes can hold. Messages of one stream mostly share one object of headers. */
function eventsClaimed(headers: Headers, bytes: number): number {
  if (headers !== lastHeaders) {
    const count = headers['Millrace-Count'];
    lastCount = count === undefined || !COUNT.test(count) ? 1 : Number(count);
    lastHeaders = headers;
  }
  return Math.max(1, Math.min(lastCount, bytes));
}
