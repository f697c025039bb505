/** JetStream behind the broker interface: acked means stored, with a sequence; unknown is never reported as failed. */
import type { Capabilities } from '../../api/capabilities.ts';
import { MillraceError } from '../../api/errors.ts';
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
  ReadBackRequest,
} from '../broker.ts';
import { Publisher } from './publisher.ts';
import { filterOutside } from './consumer-setup.ts';
import { FastIngest } from './fast-ingest.ts';
import { hasBrokerHeader } from './fast-wire.ts';
import { readBack } from './read-back.ts';
import { openReader } from './reader.ts';
import type { JetStreamReader } from './reader.ts';
import { apiErrorOf, manager, StreamSetup } from './stream-setup.ts';

export const jetStreamCapabilities: Capabilities = {
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

const NO_MESSAGE_FOUND = 10_037;

export function createJetStreamBroker(options: ResolvedOptions): Broker {
  return new JetStreamBroker('jetstream', options);
}

export class JetStreamBroker implements Broker {
  readonly kind: 'jetstream' | 'dedupe';
  readonly capabilities: Capabilities = jetStreamCapabilities;
  readonly stream: string;
  readonly resends = true;
  readonly #options: ResolvedOptions;
  readonly #setup: StreamSetup;
  readonly #readers = new Set<JetStreamReader>();
  readonly #denials = new Set<(subject: string) => void>();
  #pool: NatsPool | null = null;
  #publisher: Publisher | null = null;
  #fast: FastIngest | null = null;

  constructor(kind: 'jetstream' | 'dedupe', options: ResolvedOptions) {
    this.kind = kind;
    this.stream = options.stream;
    this.#options = options;
    this.#setup = new StreamSetup(options, kind);
  }

  get path(): string {
    return this.resendsWithoutIds ? 'fast-ingest' : 'multiplexer';
  }

  /** Fast ingest is silent about ids: with the `dedupe` kind they are the point. */
  get resendsWithoutIds(): boolean {
    return this.#setup.batched && this.#fast?.on === true;
  }

  async open(listener: PublishListener, signal?: AbortSignal): Promise<void> {
    const pool = await NatsPool.open(
      this.#options,
      {
        up: (link) => {
          this.#publisher?.up();
          if (link === this.#pool?.links[0]) this.#fast?.up();
          for (const reader of this.#readers) reader.up(link);
        },
        down: (link) => {
          for (const reader of this.#readers) reader.down(link);
          this.#publisher?.down(link);
          if (link === this.#pool?.links[0]) this.#fast?.down();
        },
        forbidden: (link, subject) => {
          this.#publisher?.forbid(link, subject);
          for (const denial of [...this.#denials]) denial(subject);
        },
        state: (state, reason) => {
          if (state === 'closed') this.#fast?.close();
          if (state === 'closed' && reason !== undefined) for (const reader of this.#readers) reader.fail(reason);
          listener.state(state, reason);
        },
        warning: (message) => listener.warning(message),
      },
      { noEcho: true, signal },
    );
    const publisher = new Publisher(pool, this.#options, listener);
    const fast = this.kind === 'jetstream' ? this.#fastOn(pool, listener) : null;
    try {
      await publisher.open();
      if (await fast?.open()) this.#fast = fast;
    } catch (error) {
      await pool.close();
      throw error;
    }
    this.#pool = pool;
    this.#publisher = publisher;
    listener.state('open');
  }

  limits(): BrokerLimits {
    return { messageBytesMax: this.#open().payloadBytesMax };
  }

  prepare(subjects: readonly string[]): Promise<void> {
    return this.#setup.prepare(this.#open().links[0]!.connection, subjects);
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    return this.#takesFast(message) ? this.#fast!.tryPublish(message, token) : this.#publisher!.tryPublish(message, token);
  }

  async consume(request: ConsumeRequest, receiver: MessageReceiver): Promise<BrokerReader> {
    const link = await this.#open().reader();
    const { config } = await this.#setup.existing(link.connection);
    if (filterOutside(config.subjects, request.filter)) {
      const message = `stream ${this.stream} takes ${config.subjects.join(', ')}: nothing in it can match ${request.filter}`;
      throw new MillraceError('MILLRACE_SUBJECT_NOT_IN_STREAM', message, { context: { stream: this.stream, subject: request.filter } });
    }
    const reader = await openReader({ link, stream: this.stream, request, receiver, inboxPrefix: this.#options.inboxPrefix });
    this.#readers.add(reader);
    reader.onClose(() => this.#readers.delete(reader));
    return reader;
  }

  async lastSequence(filter: string): Promise<number> {
    const jsm = await manager(this.#open().links[0]!.connection);
    try {
      return (await jsm.streams.getMessage(this.stream, { last_by_subj: filter })).seq;
    } catch (error) {
      if (apiErrorOf(error)?.err_code === NO_MESSAGE_FOUND) return 0;
      throw new MillraceError('MILLRACE_BROKER', `cannot read the end of stream ${this.stream}`, {
        cause: error,
        context: { stream: this.stream, subject: filter },
      });
    }
  }

  async readBack(request: ReadBackRequest): Promise<number> {
    const link = await this.#open().reader();
    const { inboxPrefix } = this.#options;
    return readBack({ link, stream: this.stream, inboxPrefix, denials: this.#denials }, request);
  }

  get duplicateWindowMs(): number {
    return this.#setup.windowMs;
  }

  async health(): Promise<BrokerHealth> {
    return this.#pool === null ? { rttMs: null, server: null, reasons: ['not open'] } : this.#pool.health();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    this.#fast?.finish();
    await this.#pool?.close();
    this.#fast?.close();
    this.#publisher?.close();
  }

  #takesFast({ subject, memory, start, payloadStart, end, expectedSequence = -1 }: OutboundMessage): boolean {
    if (!this.resendsWithoutIds || expectedSequence >= 0 || start === payloadStart) return false;
    return !hasBrokerHeader(memory, start, payloadStart) && this.#publisher!.admits(subject, end - start);
  }

  /** One batch per stream and process: a second one would share the broker's flow with the first. */
  #fastOn(pool: NatsPool, listener: PublishListener): FastIngest | null {
    const link = pool.links[0]!;
    if (link.writer === null) return null;
    const look = (): ReturnType<StreamSetup['look']> => this.#setup.look(link.connection);
    return new FastIngest({ link, look, readBack: (request) => this.readBack(request) }, this.#options, listener);
  }

  #open(): NatsPool {
    if (this.#pool === null) throw new MillraceError('MILLRACE_CLOSED', 'the broker is not open');
    return this.#pool;
  }
}
