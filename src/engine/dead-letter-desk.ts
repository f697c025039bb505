/** Makes dead letters of what a reader could not handle: reason, attempts, origin in the broker, and the raw bytes. */
import type { InboundEvent, MessageInHand } from './inbound-message.ts';
import type { Refusals } from './refusals.ts';
import { packEvent } from '../codec/msgpack.ts';
import { MillraceError, wrapError } from '../api/errors.ts';
import type { RejectReason } from '../api/reject-reasons.ts';

export class DeadLetterDesk {
  readonly #refusals: Refusals;
  readonly #folder: string;
  readonly #stream: string | null;

  constructor(refusals: Refusals, folder: string, stream: string | null) {
    this.#refusals = refusals;
    this.#folder = folder;
    this.#stream = stream;
  }

  bury(event: InboundEvent, reason: RejectReason, cause: unknown): void {
    const error = cause instanceof MillraceError ? cause : wrapError('MILLRACE_TRANSFORM', cause);
    const { message, index } = event;
    const raw = message.open > 0 || index > 0 ? packEvent(event.event) : message.payload;
    this.#write({ message, index, reason, error, raw, attempts: event.attempts + message.redeliveries });
  }

  buryMessage(message: MessageInHand, error: MillraceError): void {
    this.#write({ message, index: 0, reason: 'decode', error, raw: message.payload, attempts: message.redeliveries + 1 });
  }

  #write(letter: { message: MessageInHand; index: number; reason: RejectReason; error: MillraceError; raw: Uint8Array; attempts: number }): void {
    const { message, index, reason, error, raw, attempts } = letter;
    const origin = { stream: this.#stream, sequence: message.sequence, index };
    this.#refusals.refuseDelivery({ reason, error, subject: message.subject, headers: message.headers, raw, attempts: Math.max(1, attempts), origin }, this.#folder);
  }
}
