/** Makes dead letters of what a reader could not handle: reason, attempts, origin in the broker, and the raw bytes. */
import type { MessageInHand, Retry } from './inbound-message.ts';
import type { Refusals } from './refusals.ts';
import { ElementForm, EventsOfMessage, eventBytes, headersAlone } from '../../workers/inbound-message.ts';
import { findHeader } from '../codec/header-block.ts';
import { MillraceError, messageOf, wrapError } from '../api/errors.ts';
import type { RejectReason } from '../api/reject-reasons.ts';

const RETRY_MS = 1_000;

export class DeadLetterDesk {
  readonly #refusals: Refusals;
  readonly #folder: string;
  readonly #stream: string | null;
  #closed = false;

  constructor(refusals: Refusals, folder: string, stream: string | null) {
    this.#refusals = refusals;
    this.#folder = folder;
    this.#stream = stream;
  }

  /** One event, as it stood in its message, with the headers that are its own. Resolves when the letter is safe, and not before. */
  bury(retry: Retry, reason: RejectReason, cause: unknown): Promise<void> {
    const { message, index, form, raw, attempts } = retry;
    const error = cause instanceof MillraceError ? cause : wrapError('MILLRACE_TRANSFORM', cause);
    const events = EventsOfMessage.ofElement(raw, { form, headers: message.headers, index });
    const headers = headersAlone(events.headersAt(index), form, events.idAt(index));
    return this.#write(message, {
      index,
      reason,
      error,
      headers,
      raw: eventBytes(raw, form),
      encoding: encodingOf(form, message),
      attempts: attempts + message.redeliveries,
    });
  }

  buryMessage(message: MessageInHand, bytes: Uint8Array, cause: unknown): Promise<void> {
    const error = cause instanceof MillraceError ? cause : new MillraceError('MILLRACE_DECODE', messageOf(cause), { cause });
    return this.#write(message, {
      index: 0,
      reason: 'decode',
      error,
      headers: message.headers,
      raw: bytes,
      encoding: 'input',
      attempts: message.redeliveries + 1,
    });
  }

  /** Nothing waits any more. */
  close(): void {
    this.#closed = true;
  }

  async #write(
    message: MessageInHand,
    letter: Omit<Parameters<Refusals['refuseDelivery']>[0], 'subject' | 'origin'> & { readonly index: number },
  ): Promise<void> {
    const { index, ...facts } = letter;
    const origin = { stream: this.#stream, sequence: message.sequence, index };
    this.#refusals.refuseDelivery({ ...facts, subject: message.subject, origin }, this.#folder);
    // A disk that is full is tried again for as long as it takes: the event stays in hand meanwhile, and its message alive.
    while (!this.#closed && !(await this.#isSafe())) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }

  async #isSafe(): Promise<boolean> {
    try {
      await this.#refusals.flush();
      return true;
    } catch {
      return false; // The store has told.
    }
  }
}

/** Elements of a batch are msgpack; a message that is one event is what its producer says. */
function encodingOf(form: ElementForm, { headers }: MessageInHand): 'input' | 'msgpack' {
  return form !== ElementForm.message || /msgpack/i.test(findHeader(headers, 'Content-Type') ?? '') ? 'msgpack' : 'input';
}
