/** A message of the NATS client, held while the engine looks at it: headers are read lazily, and the object is used again for the next. */
import type { Msg } from './nats-library.ts';

const NONE: Uint8Array = new Uint8Array(0);

export class HeldMessage {
  #message: Msg | null = null;
  subject = '';
  payload: Uint8Array = NONE;

  /** The library's buffers are let go: a small message pins a large chunk. */
  drop(): void {
    this.#message = null;
    this.payload = NONE;
  }

  header(name: string): string | undefined {
    const headers = this.#message?.headers;
    return headers?.has(name) === true ? headers.get(name) : undefined;
  }

  headers(): Record<string, string> {
    const all: Record<string, string> = {};
    for (const [name, values] of this.#message?.headers ?? []) all[name] = values.join(', ');
    return all;
  }

  protected hold(message: Msg): void {
    this.#message = message;
    this.subject = message.subject;
    this.payload = message.data;
  }
}
