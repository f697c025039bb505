/** The `embedded` broker: events in a local LMDB folder, no server. An ack means committed and flushed; several processes may share the folder. */
import type { Capabilities } from '../../api/capabilities.ts';
import { MillraceError } from '../../api/errors.ts';
import { compileFilter } from '../../api/subject-filter.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type {
  Broker,
  BrokerHealth,
  BrokerLimits,
  BrokerReader,
  ConsumeRequest,
  MessageReceiver,
  OutboundMessage,
  PublishListener,
  ReadBackRequest,
} from '../broker.ts';
import { storeError } from './errors.ts';
import { openReader } from './open-reader.ts';
import { MESSAGE_BYTES_MAX, Publisher } from './publisher.ts';
import { readBack } from './read-back.ts';
import type { Reader } from './reader.ts';
import { RecordView } from './record.ts';
import { Retention } from './retention.ts';
import { scanBackward } from './scan.ts';
import type { Store } from './store.ts';
import { STORE_FORMAT, closeStore, openStore, readHead, readRecord } from './store.ts';
import { Tail } from './tail.ts';

const capabilities: Capabilities = {
  persistent: true,
  ordered: true,
  durable: true,
  replay: true,
  dedupe: true,
  queueGroups: true,
  acks: true,
  nak: true,
  term: true,
  working: true,
  headers: true,
  wildcards: true,
  sequences: true,
};

export interface EmbeddedBroker extends Broker {
  readBack(request: ReadBackRequest): Promise<number>;
  /** Removed by retention since `open`. */
  readonly removed: { readonly messages: number; readonly bytes: number };
}

interface Opened {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly retention: Retention;
  readonly tail: Tail;
  readonly readers: Set<Reader>;
}

export function createEmbeddedBroker(options: ResolvedOptions): EmbeddedBroker {
  return new LmdbBroker(options);
}

class LmdbBroker implements EmbeddedBroker {
  readonly kind = 'embedded';
  readonly capabilities: Capabilities = capabilities;
  readonly path = 'lmdb';
  readonly stream: string;
  readonly resends = true;
  readonly #options: ResolvedOptions;
  #opened: Opened | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.stream = options.path;
  }

  async open(listener: PublishListener, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw new MillraceError('MILLRACE_ABORTED', `opening the store '${this.#options.path}' was aborted`);
    if (this.#opened !== null) return;
    if (this.#closing !== null) throw this.#closed();
    const { path, maxInFlightBytes, maxInFlightMessages, publishTimeoutMs } = this.#options;
    const store = openStore(path, { create: true, doing: 'open' });
    const tail = new Tail(store);
    const warn = (error: unknown): void => listener.warning(storeError(path, 'remove old messages from', error).message);
    const retention = new Retention(store, this.#options, warn);
    const onStored = (): void => {
      tail.check();
      retention.kick();
    };
    const publisher = new Publisher({
      store,
      listener,
      lastTimeMs: lastTime(store),
      onStored,
      maxInFlightBytes,
      maxInFlightMessages,
      publishTimeoutMs,
    });
    this.#opened = { store, publisher, retention, tail, readers: new Set() };
    listener.state('open');
  }

  limits(): BrokerLimits {
    return { messageBytesMax: MESSAGE_BYTES_MAX };
  }

  /** There is nothing to make: a store takes every subject. */
  async prepare(_subjects: readonly string[]): Promise<void> {
    this.#need();
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    return this.#opened !== null && this.#opened.publisher.tryPublish(message, token);
  }

  async consume(request: ConsumeRequest, receiver: MessageReceiver): Promise<BrokerReader> {
    const { store, tail, readers } = this.#need();
    try {
      const reader = await openReader({ store, tail, request, receiver, onClosed: (closed) => void readers.delete(closed) });
      readers.add(reader);
      return reader;
    } catch (error) {
      throw storeError(store.path, 'read', error);
    }
  }

  async lastSequence(filter: string): Promise<number> {
    const { store } = this.#need();
    return scanBackward(store, filter === '>' ? null : compileFilter(filter));
  }

  async readBack(request: ReadBackRequest): Promise<number> {
    const { store } = this.#need();
    try {
      return await readBack(store, request);
    } catch (error) {
      throw storeError(store.path, 'read', error);
    }
  }

  get removed(): { readonly messages: number; readonly bytes: number } {
    const retention = this.#opened?.retention;
    return { messages: retention?.removedMessages ?? 0, bytes: retention?.removedBytes ?? 0 };
  }

  async health(): Promise<BrokerHealth> {
    const server = `lmdb, store format ${STORE_FORMAT}`;
    if (this.#opened === null) return { rttMs: null, server, reasons: ['the store is closed'] };
    const { store, publisher } = this.#opened;
    const start = performance.now();
    try {
      readHead(store);
    } catch (error) {
      return { rttMs: null, server, reasons: [storeError(store.path, 'read', error).message] };
    }
    const fault = publisher.broken ?? publisher.lastFailure;
    return { rttMs: performance.now() - start, server, reasons: fault === null ? [] : [fault.message] };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    if (opened === null) return;
    const { store, publisher, retention, tail, readers } = opened;
    this.#opened = null;
    await publisher.close(); // a flush takes milliseconds, so what is in flight gets its true outcome
    await Promise.allSettled([...readers].map((reader) => reader.close()));
    await retention.close();
    tail.close();
    // A store that hangs would hang its close too; the process keeps it open until it ends.
    if (publisher.broken === null) await closeStore(store);
  }

  #need(): Opened {
    if (this.#opened === null) throw this.#closed();
    return this.#opened;
  }

  #closed(): MillraceError {
    return new MillraceError('MILLRACE_CLOSED', `the store '${this.#options.path}' is not open`, { context: { processor: 'embedded' } });
  }
}

function lastTime(store: Store): number {
  const view = new RecordView();
  return readRecord(store, readHead(store).next - 1, view) ? view.timeMs : 0;
}
