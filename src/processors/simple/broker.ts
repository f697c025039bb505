/** Core NATS behind the broker interface: acked means that the server we were connected to has parsed the message, and no more. */
import type { Capabilities } from '../../api/capabilities.ts';
import { MillraceError } from '../../api/errors.ts';
import { filterFault } from '../../api/subject-filter.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { NatsPool } from '../../connections/nats-pool.ts';
import type {
  Broker,
  BrokerHealth,
  BrokerLimits,
  BrokerReader,
  ConsumeRequest,
  MessageReceiver,
  OutboundMessage,
  PublishListener,
} from '../broker.ts';
import { notSupported } from '../not-supported.ts';
import { Publisher } from './publisher.ts';
import { SimpleReader } from './reader.ts';

export const simpleCapabilities: Capabilities = {
  persistent: false,
  ordered: true,
  durable: false,
  replay: false,
  dedupe: false,
  queueGroups: true,
  acks: false,
  nak: false,
  term: false,
  working: false,
  headers: true,
  wildcards: true,
  sequences: false,
};

export function createSimpleBroker(options: ResolvedOptions): Broker {
  return new SimpleBroker(options);
}

class SimpleBroker implements Broker {
  readonly kind = 'simple';
  readonly capabilities: Capabilities = simpleCapabilities;
  readonly path = 'flush';
  readonly stream = null;
  /** A second copy would be a second event to every subscriber: only `resendUnknown` asks for that. */
  readonly resends = false;
  readonly #options: ResolvedOptions;
  readonly #readers = new Set<SimpleReader>();
  #listener: PublishListener | null = null;
  #pool: NatsPool | null = null;
  #publisher: Publisher | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  async open(listener: PublishListener, signal?: AbortSignal): Promise<void> {
    const pool = await NatsPool.open(
      this.#options,
      {
        up: () => this.#publisher?.up(),
        down: (link) => this.#publisher?.down(link),
        forbidden: (link, subject) => this.#publisher?.forbid(link, subject),
        state: (state, reason) => {
          if (state === 'closed' && reason !== undefined) for (const reader of this.#readers) reader.fail(reason);
          listener.state(state, reason);
        },
        warning: (message) => listener.warning(message),
      },
      { noEcho: true, signal },
    );
    this.#listener = listener;
    this.#pool = pool;
    this.#publisher = new Publisher(pool, this.#options, listener);
    listener.state('open');
  }

  limits(): BrokerLimits {
    return { messageBytesMax: this.#open().payloadBytesMax };
  }

  /** There is nothing to make: core NATS takes every subject. */
  async prepare(_subjects: readonly string[]): Promise<void> {
    this.#open();
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    return this.#publisher !== null && this.#publisher.tryPublish(message, token);
  }

  async consume(request: ConsumeRequest, receiver: MessageReceiver): Promise<BrokerReader> {
    checkRequest(request);
    const link = await this.#open().reader();
    const reader = new SimpleReader({ link, request, receiver, warn: (message) => this.#listener?.warning(message) });
    this.#readers.add(reader);
    reader.onClose(() => this.#readers.delete(reader));
    await reader.open();
    return reader;
  }

  async lastSequence(_filter: string): Promise<number> {
    throw notSupported('simple', 'read history', 'replay');
  }

  async health(): Promise<BrokerHealth> {
    if (this.#pool === null) return { rttMs: null, server: null, reasons: ['not open'] };
    return this.#pool.health();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.#pool?.close();
    this.#publisher?.close();
  }

  #open(): NatsPool {
    if (this.#pool === null) throw new MillraceError('MILLRACE_CLOSED', 'the broker is not open', { context: { processor: 'simple' } });
    return this.#pool;
  }
}

function checkRequest({ filter, durable, start }: ConsumeRequest): void {
  const fault = filterFault(filter);
  if (fault !== null)
    throw new MillraceError('MILLRACE_SUBJECT_INVALID', `'${filter}' is not a subject filter: ${fault}`, { context: { subject: filter } });
  if (durable !== '') throw notSupported('simple', `keep the position of the durable '${durable}'`, 'durable');
  if (start.kind !== 'new') throw notSupported('simple', `start at '${start.kind}': it keeps no history`, 'replay');
}
