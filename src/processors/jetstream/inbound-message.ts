/** One JetStream message as the engine sees it: read lazily, and the object is used again for the next. */
import { HeldMessage } from '../../connections/held-message.ts';
import type { Msg } from '../../connections/nats-library.ts';
import type { InboundMessage } from '../broker.ts';

/** What ack, nak, term and working need; `settled` makes the second of them a no-op. */
export interface AckHandle {
  readonly reply: string;
  readonly sequence: number;
  settled: boolean;
}

const DOT = 0x2e;
const TOKENS_SHORT = 9;
const NANOS_PER_MS = 1_000_000;

/** `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>`, or with domain and account before the stream. */
export class ReceivedMessage extends HeldMessage implements InboundMessage {
  sequence = 0;
  consumerSequence = 0;
  timeMs = 0;
  redeliveries = 0;
  handle: AckHandle = { reply: '', sequence: 0, settled: false };

  take(message: Msg): void {
    const reply = message.reply ?? '';
    this.hold(message);
    this.#readReply(reply);
    this.handle = { reply, sequence: this.sequence, settled: false };
  }

  /** Digit by digit: splitting it would cost nine strings a message. */
  #readReply(reply: string): void {
    let dots = 0;
    for (let at = 0; at < reply.length; at++) if (reply.charCodeAt(at) === DOT) dots++;
    // The numbers begin behind so many dots.
    let skip = dots + 1 === TOKENS_SHORT ? 4 : 6;
    let at = 0;
    for (; skip > 0 && at < reply.length; at++) if (reply.charCodeAt(at) === DOT) skip--;
    const next = (): number => {
      let value = 0;
      for (let code = reply.charCodeAt(at++); code !== DOT && at <= reply.length; code = reply.charCodeAt(at++))
        value = value * 10 + code - 0x30;
      return value;
    };
    this.redeliveries = next() - 1;
    this.sequence = next();
    this.consumerSequence = next();
    this.timeMs = Math.floor(next() / NANOS_PER_MS); // Beyond 2^53, and still right to a microsecond.
  }
}
