/** One JetStream message as the engine sees it: read lazily, and the object is used again for the next. */
import type { Headers } from '../../api/event.ts';
import type { Msg } from '../../connections/nats-library.ts';
import type { InboundMessage } from '../broker.ts';

/** What ack, nak, term and working need; `settled` makes the second of them a no-op. */
export interface AckHandle {
  readonly reply: string;
  readonly sequence: number;
  settled: boolean;
}

const TOKENS_SHORT = 9;
const NANOS_DIGITS = 6;

/** `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>`, or with domain and account before the stream. */
export class ReceivedMessage implements InboundMessage {
  #message: Msg | null = null;
  subject = '';
  payload: Uint8Array = new Uint8Array(0);
  sequence = 0;
  consumerSequence = 0;
  timeMs = 0;
  redeliveries = 0;
  /** Messages that the consumer will deliver after this one, as it was when this one left. */
  pending = 0;
  handle: AckHandle = { reply: '', sequence: 0, settled: false };

  take(message: Msg): void {
    const reply = message.reply ?? '';
    const tokens = reply.split('.');
    const at = tokens.length === TOKENS_SHORT ? 4 : 6;
    this.#message = message;
    this.subject = message.subject;
    this.payload = message.data;
    this.redeliveries = Number(tokens[at]) - 1;
    this.sequence = Number(tokens[at + 1]);
    this.consumerSequence = Number(tokens[at + 2]);
    this.timeMs = Number(tokens[at + 3]!.slice(0, -NANOS_DIGITS));
    this.pending = Number(tokens[at + 4]);
    this.handle = { reply, sequence: this.sequence, settled: false };
  }

  /** The library's buffers are let go: a small message pins a large chunk. */
  drop(): void {
    this.#message = null;
    this.payload = NONE;
  }

  header(name: string): string | undefined {
    const headers = this.#message?.headers;
    return headers?.has(name) === true ? headers.get(name) : undefined;
  }

  headers(): Headers {
    const all: Record<string, string> = {};
    for (const [name, values] of this.#message?.headers ?? []) all[name] = values.join(', ');
    return all;
  }
}

const NONE: Uint8Array = new Uint8Array(0);
