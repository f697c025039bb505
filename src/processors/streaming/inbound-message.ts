/** One STAN message as the engine sees it, taken out of its wrapper; the object is used again for the next. */
import type { Headers } from '../../api/event.ts';
import type { InboundMessage } from '../broker.ts';
import { findHeader } from '../embedded/header-block.ts';
import type { StanMessage } from './stan-library.ts';
import { unwrap } from './wrapper.ts';

const NANOS_PER_MS = 1_000_000;
const NONE: Headers = Object.freeze(Object.create(null) as Record<string, string>);
const EMPTY: Uint8Array = new Uint8Array(0);

export class ReceivedMessage implements InboundMessage {
  subject = '';
  payload: Uint8Array = EMPTY;
  /** A double: exact below 2^53, which no channel reaches. */
  sequence = 0;
  /** The protocol's nanoseconds do not fit a double (pitfall 8): milliseconds do. */
  timeMs = 0;
  redeliveries = 0;
  handle: unknown = null;
  #headers: Headers = NONE;

  take(message: StanMessage, handle: unknown): void {
    const data = message.getRawData();
    const unwrapped = unwrap(data);
    this.subject = message.getSubject();
    this.payload = unwrapped?.payload ?? data;
    this.sequence = message.getSequence();
    this.timeMs = Math.floor(message.getTimestampRaw() / NANOS_PER_MS);
    this.redeliveries = Math.max(message.getRedeliveryCount(), message.isRedelivered() ? 1 : 0);
    this.handle = handle;
    this.#headers = unwrapped?.headers ?? NONE;
  }

  drop(): void {
    this.payload = EMPTY;
    this.#headers = NONE;
  }

  header(name: string): string | undefined {
    return findHeader(this.#headers, name);
  }

  headers(): Headers {
    return this.#headers;
  }
}
