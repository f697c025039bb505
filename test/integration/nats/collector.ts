/** Keeps what a reader was handed: the message object itself is used again. */
import type { MillraceError } from '../../../src/api/errors.ts';
import type { InboundMessage, MessageReceiver } from '../../../src/processors/broker.ts';

export interface Read {
  readonly subject: string;
  readonly text: string;
  readonly sequence: number;
  readonly timeMs: number;
  readonly redeliveries: number;
  readonly handle: unknown;
  readonly id: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export class Collector implements MessageReceiver {
  readonly read: Read[] = [];
  error: MillraceError | null | undefined;
  onMessage: (read: Read) => void = () => undefined;

  message(message: InboundMessage): void {
    const { subject, sequence, timeMs, redeliveries, handle } = message;
    const text = Buffer.from(message.payload).toString();
    const read = { subject, text, sequence, timeMs, redeliveries, handle, id: message.header('Nats-Msg-Id'), headers: message.headers() };
    this.read.push(read);
    this.onMessage(read);
  }

  ended(error: MillraceError | null): void {
    this.error = error;
  }

  get sequences(): number[] {
    return this.read.map(({ sequence }) => sequence);
  }
}
