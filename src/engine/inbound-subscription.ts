/** A running read from the outside: drain finishes what is in hand, close forgets it, and both end everything that belongs to it. */
import type { Inbound } from './inbound.ts';
import type { IteratedDeliveries } from './iterated-deliveries.ts';
import { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';
import type { Subscription } from '../api/processor.ts';
import type { BrokerReader } from '../processors/broker.ts';

export interface SubscriptionParts {
  readonly filter: string;
  readonly inbound: Inbound;
  /** Null: it has a handler. */
  readonly iterated: IteratedDeliveries | null;
  readonly signal: AbortSignal | undefined;
  /** What else ends with it. */
  readonly release: () => Promise<void> | void;
}

export class RunningSubscription implements Subscription {
  readonly closed: Promise<void>;
  readonly #parts: SubscriptionParts;
  #reader: BrokerReader | null = null;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #ending: Promise<void> | null = null;
  readonly #onAbort = (): void => void this.close().catch(() => undefined); // `closed` tells.

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.closed = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.closed.catch(() => undefined); // Whoever asks hears; nobody has to.
  }

  get filter(): string {
    return this.#parts.filter;
  }

  get received(): number {
    return this.#parts.inbound.received;
  }

  async start(reader: BrokerReader): Promise<void> {
    this.#reader = reader;
    if (this.#ending !== null) {
      await reader.close(); // It ended while it was being opened.
      return;
    }
    this.#parts.inbound.attach(reader);
    const { signal } = this.#parts;
    if (signal?.aborted === true) await this.close();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The read has ended by itself, or cannot go on. */
  end(error: MillraceError | null): void {
    this.#ending ??= error === null ? this.#finish() : this.#close(error);
    this.#ending.catch(() => undefined);
  }

  async drain(): Promise<void> {
    if (this.#ending === null) await this.#parts.inbound.drained();
    await this.close();
  }

  close(): Promise<void> {
    this.#ending ??= this.#close(null);
    return this.#ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery> {
    if (this.#parts.iterated === null)
      throw new MillraceError('MILLRACE_USAGE', 'this subscription has a handler; one without can be iterated');
    return this.#parts.iterated.iterator(() => this.close());
  }

  /** All there was to read has come: it is handed over before the end is told. */
  async #finish(): Promise<void> {
    await this.#parts.inbound.drained();
    this.#parts.iterated?.finish();
    await this.#close(null);
  }

  async #close(error: MillraceError | null): Promise<void> {
    const { inbound, iterated, signal, release } = this.#parts;
    signal?.removeEventListener('abort', this.#onAbort);
    inbound.stop();
    iterated?.end(error);
    try {
      await this.#letGo();
      if (error !== null) this.#reject(error);
      else this.#resolve();
    } catch (late) {
      this.#reject(error ?? late);
      if (error === null) throw late;
    } finally {
      await release();
    }
  }

  /** An ack that cannot be confirmed is told, after everything else has been let go. */
  async #letGo(): Promise<void> {
    try {
      await this.#reader?.flush();
    } finally {
      await this.#reader?.close();
    }
  }
}
