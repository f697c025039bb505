/** One core NATS message as the engine sees it: read lazily, and the object is used again for the next. */
import type { Headers } from '../../api/event.ts';
import type { Msg } from '../../connections/nats-library.ts';
import type { InboundMessage } from '../broker.ts';

const NONE: Uint8Array = new Uint8Array(0);

export class ReceivedMessage implements InboundMessage {
  #message: Msg | null = null;
  subject = '';
  payload: Uint8Array = NONE;
  /** Core NATS numbers nothing: this counts what this reader was handed, so that a delivery can be told from the others. */
  sequence = 0;
  /** When it arrived here: core NATS keeps no time. */
  timeMs = 0;
  readonly redeliveries = 0;
  readonly handle: unknown = null;

  take(message: Msg, sequence: number, timeMs: number): void {
    this.#message = message;
    this.subject = message.subject;
    this.payload = message.data;
    this.sequence = sequence;
    this.timeMs = timeMs;
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
