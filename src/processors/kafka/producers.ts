/**
 * The idempotent producer, and the next one: after an outcome in doubt its sequence is in doubt as well, so it takes no new records. It is
 * closed when the last request on it has ended.
 */
import type { KafkaLibrary, Producer } from './kafka-library.ts';
import type { KafkaSettings } from './settings.ts';

export interface ProducerHold {
  readonly producer: Producer;
  users: number;
  retired: boolean;
}

/** Requests in flight per connection: partitions go side by side, each with one (LanePublisher). */
const REQUESTS_MAX = 64;

export class Producers {
  readonly #library: KafkaLibrary;
  readonly #settings: KafkaSettings;
  #current: ProducerHold;
  #closing: Promise<unknown>[] = [];

  constructor(library: KafkaLibrary, settings: KafkaSettings) {
    this.#library = library;
    this.#settings = settings;
    this.#current = this.#make();
  }

  take(): ProducerHold {
    this.#current.users++;
    return this.#current;
  }

  give(hold: ProducerHold): void {
    hold.users--;
    this.#closeIdle(hold);
  }

  /** No new records on this one. */
  retire(hold: ProducerHold): void {
    if (hold.retired) return;
    hold.retired = true;
    if (hold === this.#current) this.#current = this.#make();
    this.#closeIdle(hold);
  }

  async close(): Promise<void> {
    this.#current.retired = true;
    this.#current.users = 0;
    this.#closeIdle(this.#current);
    await Promise.all(this.#closing);
  }

  #closeIdle(hold: ProducerHold): void {
    if (!hold.retired || hold.users > 0) return;
    const closed = Promise.resolve(hold.producer.close(true)).catch(() => undefined);
    this.#closing = [...this.#closing.slice(-REQUESTS_MAX), closed];
  }

  /** Not `idempotent` in general, which would allow one request per connection, but in each send. */
  #make(): ProducerHold {
    const producer = new this.#library.Producer({ ...this.#settings, maxInflights: REQUESTS_MAX });
    return { producer, users: 0, retired: false };
  }
}
