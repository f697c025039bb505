/** One core NATS message as the engine sees it: read lazily, and the object is used again for the next. */
import { HeldMessage } from '../../connections/held-message.ts';
import type { Msg } from '../../connections/nats-library.ts';
import type { InboundMessage } from '../broker.ts';

export class ReceivedMessage extends HeldMessage implements InboundMessage {
  /** Core NATS numbers nothing: this counts what this reader was handed, so that a delivery can be told from the others. */
  sequence = 0;
  /** When it arrived here: core NATS keeps no time. */
  timeMs = 0;
  readonly redeliveries = 0;
  readonly handle: unknown = null;

  take(message: Msg, sequence: number, timeMs: number): void {
    this.hold(message);
    this.sequence = sequence;
    this.timeMs = timeMs;
  }
}
