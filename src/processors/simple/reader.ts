/**
 * Reads a subject from core NATS. Nothing can be asked for twice and nobody can be told to wait: while the engine is paused, messages
 * are kept up to a bound, and past it the newest are dropped, counted and warned about (the slow consumer policy).
 */
import { MillraceError } from '../../api/errors.ts';
import type { Msg, Subscription } from '../../connections/nats-library.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { BrokerReader, ConsumeRequest, MessageReceiver } from '../broker.ts';
import { boundedFlush } from '../jetstream/ack-sender.ts';
import { ReceivedMessage } from './inbound-message.ts';

/** What may wait in this process: `maxInFlight` messages, and so many bytes. */
const WAITING_BYTES_MAX = 8 * 1_048_576;
/** A kept message costs about this much beside its payload. */
const WAITING_BYTES_EACH = 256;

export interface ReaderOptions {
  readonly link: NatsLink;
  readonly request: ConsumeRequest;
  readonly receiver: MessageReceiver;
  readonly warn: (message: string) => void;
}

interface Waiting {
  readonly message: Msg;
  readonly timeMs: number;
  readonly bytes: number;
}

export class SimpleReader implements BrokerReader {
  readonly #options: ReaderOptions;
  readonly #message = new ReceivedMessage();
  readonly #subscription: Subscription;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #sequence = 0;
  #paused = false;
  #draining = false;
  #closed = false;
  #closing: (() => void) | null = null;
  /** The drop that is warned about next: 1, then each time it has doubled. */
  #warnAt = 1;
  /** Messages lost to the bound. */
  dropped = 0;

  constructor(options: ReaderOptions) {
    const { link, request } = options;
    this.#options = options;
    this.#subscription = link.connection.subscribe(request.filter, {
      ...(request.queue === '' ? {} : { queue: request.queue }),
      callback: (error, message) => (error === null ? this.#received(message) : this.fail(this.#refused(error))),
    });
  }

  /** Resolves when the server knows the subscription: what is published from now on is seen. */
  async open(): Promise<void> {
    await boundedFlush(this.#options.link.connection);
    // A refusal comes before the PONG, and is told in a microtask.
    await new Promise((resolve) => setImmediate(resolve));
  }

  onClose(callback: () => void): void {
    this.#closing = callback;
  }

  /** Core NATS remembers no position: there is nothing to tell it. */
  ack(): void {}
  nak(): void {}
  term(): void {}
  working(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#draining) return; // Called by the receiver of a kept message: the loop below goes on.
    this.#draining = true;
    let taken = 0;
    // The receiver may pause again in between.
    while (taken < this.#waiting.length && !this.#paused) {
      const { message, timeMs, bytes } = this.#waiting[taken++]!;
      this.#waitingBytes -= bytes;
      this.#hand(message, timeMs);
    }
    this.#waiting.splice(0, taken);
    this.#draining = false;
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#stop();
    const { link } = this.#options;
    this.#subscription.unsubscribe();
    if (link.up) await boundedFlush(link.connection);
  }

  /** The read cannot go on. */
  fail(reason: MillraceError): void {
    if (this.#closed) return;
    this.#stop();
    this.#options.receiver.ended(reason);
  }

  #stop(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#closing?.();
  }

  #received(message: Msg): void {
    if (this.#closed) return;
    const timeMs = Date.now();
    if (this.#paused || this.#waiting.length > 0) this.#keep(message, timeMs);
    else this.#hand(message, timeMs);
  }

  #hand(message: Msg, timeMs: number): void {
    this.#message.take(message, ++this.#sequence, timeMs);
    this.#options.receiver.message(this.#message);
    this.#message.drop();
  }

  #keep(message: Msg, timeMs: number): void {
    const bytes = message.data.length + WAITING_BYTES_EACH;
    if (this.#waiting.length >= this.#options.request.maxInFlight || this.#waitingBytes + bytes > WAITING_BYTES_MAX) return this.#drop();
    this.#waitingBytes += bytes;
    this.#waiting.push({ message: detached(message), timeMs, bytes });
  }

  #drop(): void {
    if (++this.dropped < this.#warnAt) return;
    this.#warnAt = this.dropped * 2;
    const { filter, maxInFlight } = this.#options.request;
    this.#options.warn(
      `slow consumer on ${filter}: ${this.dropped} messages dropped, since ${maxInFlight} messages or ${WAITING_BYTES_MAX} B were waiting; core NATS cannot be told to wait`,
    );
  }

  #refused(error: Error): MillraceError {
    const { filter } = this.#options.request;
    return new MillraceError('MILLRACE_AUTH', `the server ended the subscription to ${filter}: ${error.message}`, {
      cause: error,
      context: { processor: 'simple', subject: filter },
    });
  }
}

/** The library's views pin a whole chunk of the socket, often 64 KiB: what waits is copied out. */
function detached(message: Msg): Msg {
  const { subject, headers } = message;
  return { subject, headers, data: Uint8Array.from(message.data) } as Msg;
}
