/** The engine's side of a read, in small: copies what it is handed, and acks at once unless a test wants to hold. */
import type { MillraceError } from '../../src/api/errors.ts';
import type { Headers } from '../../src/api/event.ts';
import type { BrokerReader, ConsumeRequest, InboundMessage, MessageReceiver } from '../../src/processors/broker.ts';

export interface Collected {
  readonly subject: string;
  readonly payload: Buffer;
  readonly text: string;
  readonly sequence: number;
  readonly timeMs: number;
  readonly redeliveries: number;
  readonly headers: Headers;
  readonly contentType: string | undefined;
  readonly handle: unknown;
}

export class Collector implements MessageReceiver {
  readonly messages: Collected[] = [];
  readonly endings: (MillraceError | null)[] = [];
  /** Set after `consume`, to ack by hand or at once. */
  reader: BrokerReader | null = null;
  readonly #hold: boolean;
  /** Called with each message. */
  onMessage: (message: Collected) => void = () => undefined;

  constructor({ hold = false }: { readonly hold?: boolean } = {}) {
    this.#hold = hold;
  }

  message(message: InboundMessage): void {
    const payload = Buffer.from(message.payload); // The view is valid during this call only.
    const { subject, sequence, timeMs, redeliveries, handle } = message;
    const headers = { ...message.headers() };
    const collected = {
      subject,
      payload,
      text: payload.toString(),
      sequence,
      timeMs,
      redeliveries,
      headers,
      contentType: message.header('Content-Type'),
      handle,
    };
    this.messages.push(collected);
    this.onMessage(collected);
    if (!this.#hold) this.reader?.ack(handle);
  }

  ended(error: MillraceError | null): void {
    this.endings.push(error);
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }
}

export const request = (changes: Partial<ConsumeRequest>): ConsumeRequest => ({
  filter: '>',
  durable: '',
  queue: '',
  start: { kind: 'new' },
  maxInFlight: 1_000,
  ackWaitMs: 5_000,
  noAck: false,
  confirmAcks: false,
  ...changes,
});
