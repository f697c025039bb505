/** Makes dead letters of what a reader could not handle: reason, attempts, origin in the broker, and the raw bytes. */
import type { MessageInHand, Retry } from './inbound-message.ts';
import type { Refusals } from './refusals.ts';
import { ElementForm, EventsOfMessage, eventBytes, headersAlone } from '../../workers/inbound-message.ts';
import { findHeader } from '../codec/header-block.ts';
import { MillraceError, messageOf, wrapError } from '../api/errors.ts';
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

  /** One event, as it stood in its message, with the headers that are its own. */
  bury(retry: Retry, reason: RejectReason, cause: unknown): void {
    const { message, index, form, raw, attempts } = retry;
    const error = cause instanceof MillraceError ? cause : wrapError('MILLRACE_TRANSFORM', cause);
    const events = EventsOfMessage.ofElement(raw, { form, headers: message.headers, index });
    const headers = headersAlone(events.headersAt(index), form, events.idAt(index));
    this.#write(message, { index, reason, error, headers, raw: eventBytes(raw, form), encoding: encodingOf(form, message), attempts: attempts + message.redeliveries });
  }

  buryMessage(message: MessageInHand, bytes: Uint8Array, cause: unknown): void {
    const error = cause instanceof MillraceError ? cause : new MillraceError('MILLRACE_DECODE', messageOf(cause), { cause });
    this.#write(message, { index: 0, reason: 'decode', error, headers: message.headers, raw: bytes, encoding: 'input', attempts: message.redeliveries + 1 });
  }

  #write(message: MessageInHand, letter: Omit<Parameters<Refusals['refuseDelivery']>[0], 'subject' | 'origin'> & { readonly index: number }): void {
    const { index, ...facts } = letter;
    const origin = { stream: this.#stream, sequence: message.sequence, index };
    this.#refusals.refuseDelivery({ ...facts, subject: message.subject, origin }, this.#folder);
  }
}


/** Elements of a batch are msgpack; a message that is one event is what its producer says. */
function encodingOf(form: ElementForm, { headers }: MessageInHand): 'input' | 'msgpack' {
  return form !== ElementForm.message || /msgpack/i.test(findHeader(headers, 'Content-Type') ?? '') ? 'msgpack' : 'input';
}
