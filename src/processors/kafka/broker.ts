/**
 * Apache Kafka behind the broker interface: acked means that all in-sync replicas have stored the record, at the offset of the receipt. The
 * subject travels as a header; a subject (or key) always goes to the same partition, so its order holds.
 */
import type { Capabilities } from '../../api/capabilities.ts';
import { MillraceError } from '../../api/errors.ts';
import { compileFilter, filterFault } from '../../api/subject-filter.ts';
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
} from '../broker.ts';
import { connectKafka } from './connect.ts';
import { closeConsumer } from './fetcher.ts';
import type { Admin, Consumer, KafkaLibrary } from './kafka-library.ts';
import { loadKafkaLibrary } from './kafka-library.ts';
import { HEARTBEAT_MS, MEMBER_REQUEST_MS, REBALANCE_MS, SESSION_MS } from './member.ts';
import { Offsets } from './offsets.ts';
import { Producers } from './producers.ts';
import { Publisher } from './publisher.ts';
import { KafkaReader } from './reader.ts';
import type { KafkaSettings } from './settings.ts';
import { checkCompression } from './settings.ts';
import { TopicSetup } from './topic-setup.ts';

export const kafkaCapabilities: Capabilities = {
  persistent: true,
  ordered: true,
  durable: true,
  replay: true,
  dedupe: false,
  queueGroups: true,
  acks: true,
  nak: false,
  term: false,
  working: false,
  headers: true,
  wildcards: true,
  sequences: true,
};

/** Before the topic was looked at: Kafka's default, less what a record costs. */
const MESSAGE_BYTES_DEFAULT = 1_048_588;
/** Room for a subject twice, names of headers, and heads: what is longer is checked message by message. */
const RECORD_BYTES_MAX = 1_024;
const HEALTH_MS_MAX = 2_000;
const CLOSE_MS_MAX = 2_000;

export function createKafkaBroker(options: ResolvedOptions): Broker {
  return new KafkaBroker(options);
}

interface Opened {
  readonly library: KafkaLibrary;
  readonly admin: Admin;
  readonly settings: KafkaSettings;
  readonly setup: TopicSetup;
  readonly producers: Producers;
  readonly publisher: Publisher;
  readonly listener: PublishListener;
}

class KafkaBroker implements Broker {
  readonly kind = 'kafka';
  readonly capabilities: Capabilities = kafkaCapabilities;
  readonly path = 'kafka';
  readonly stream: string;
  /** Only a retry on the same producer keeps the sequence, and those are done below: a resend would be a second record. */
  readonly resends = false;
  readonly endsAtPresent = true;
  readonly #options: ResolvedOptions;
  readonly #readers = new Set<KafkaReader>();
  #messageBytesMax = MESSAGE_BYTES_DEFAULT - RECORD_BYTES_MAX;
  #opened: Opened | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.stream = options.stream;
  }

  async open(listener: PublishListener, signal?: AbortSignal): Promise<void> {
    const library = await loadKafkaLibrary();
    checkCompression(this.#options, library);
    const { admin, settings, warnings } = await connectKafka(library, this.#options, signal);
    for (const warning of warnings) listener.warning(warning);
    const setup = new TopicSetup(library, admin, this.#options, (message) => listener.warning(message));
    const producers = new Producers(library, settings);
    const publisher = new Publisher(producers, this.#options, {
      ...forward(listener),
      failed: (token, error) => {
        if (error.code === 'MILLRACE_STREAM_MISSING') setup.forget();
        listener.failed(token, error);
      },
    });
    this.#opened = { library, admin, settings, setup, producers, publisher, listener };
    listener.state('open');
  }

  limits(): BrokerLimits {
    return { messageBytesMax: this.#messageBytesMax };
  }

  async prepare(_subjects: readonly string[]): Promise<void> {
    const { setup, publisher } = this.#need();
    const shape = await setup.prepare();
    this.#messageBytesMax = shape.messageBytesMax - RECORD_BYTES_MAX;
    publisher.learn(shape);
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    return this.#opened !== null && this.#opened.publisher.tryPublish(message, token);
  }

  async consume(request: ConsumeRequest, receiver: MessageReceiver): Promise<BrokerReader> {
    const { library, setup, listener } = this.#need();
    checkRequest(request);
    const { reconnect, reconnectTimeoutMs } = this.#options;
    const reader = new KafkaReader({
      library,
      topic: this.stream,
      layout: await setup.existing(),
      request,
      matches: compileFilter(request.filter),
      receiver,
      makeConsumer: (group) => this.#consumer(group),
      fetching: { look: () => setup.existing(), reconnect, reconnectTimeoutMs },
      warn: (message) => listener.warning(message),
    });
    await reader.open();
    this.#readers.add(reader);
    reader.onClose(() => this.#readers.delete(reader));
    return reader;
  }

  /** Offsets are counted in each partition: the highest of them all. */
  async lastSequence(filter: string): Promise<number> {
    const { library, setup } = this.#need();
    checkFilter(filter);
    const consumer = this.#consumer(null);
    try {
      const place = { topic: this.stream, layout: await setup.existing(), matches: compileFilter(filter) };
      return await new Offsets(library, consumer, place).highest();
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      throw new MillraceError('MILLRACE_BROKER', `cannot read the end of topic ${this.stream}`, {
        cause: error,
        retryable: true,
        context: { stream: this.stream, subject: filter },
      });
    } finally {
      await closeConsumer(consumer);
    }
  }

  async health(): Promise<BrokerHealth> {
    if (this.#opened === null) return { rttMs: null, server: null, reasons: ['not open'] };
    const { admin, publisher } = this.#opened;
    const { servers } = this.#options;
    const startMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), HEALTH_MS_MAX)));
    const metadata = await Promise.race([admin.metadata({ topics: [], forceUpdate: true }).catch(() => null), late]);
    clearTimeout(timer);
    if (metadata === null) return { rttMs: null, server: null, reasons: [`no answer from ${servers.join(', ')}`] };
    const reasons = publisher.reachable ? [] : ['the leader of a partition cannot be reached'];
    const server = `Kafka cluster ${metadata.id}, ${metadata.brokers.size} broker${metadata.brokers.size === 1 ? '' : 's'}`;
    return { rttMs: performance.now() - startMs, server, reasons };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    if (opened === null) return;
    opened.publisher.close();
    await bounded(Promise.all([opened.producers.close(), Promise.resolve(opened.admin.close())]));
    opened.listener.state('closed');
  }

  /** Readers without a group need a name for one all the same: it is never joined. */
  #consumer(group: string | null): Consumer {
    const { library, settings } = this.#need();
    return new library.Consumer({
      ...settings,
      groupId: group ?? `${settings.clientId}-ungrouped`,
      autocommit: false,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
      ...(group === null ? {} : { requestTimeout: MEMBER_REQUEST_MS }),
    });
  }

  #need(): Opened {
    if (this.#opened === null) throw new MillraceError('MILLRACE_CLOSED', 'the broker is not open', { context: { processor: 'kafka' } });
    return this.#opened;
  }
}

/** A listener's methods may use `this`. */
const forward = (listener: PublishListener): PublishListener => ({
  acked: (token, sequence, duplicate) => listener.acked(token, sequence, duplicate),
  failed: (token, error) => listener.failed(token, error),
  unknown: (token, error) => listener.unknown(token, error),
  writable: () => listener.writable(),
  state: (state, reason) => listener.state(state, reason),
  warning: (message) => listener.warning(message),
});

/** The library waits for what a dead peer will never take. */
async function bounded(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work.catch(() => undefined), new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS_MAX)))]);
  clearTimeout(timer);
}

function checkRequest({ filter, durable, queue, start }: ConsumeRequest): void {
  checkFilter(filter);
  for (const [option, name] of [
    ['durable', durable],
    ['queue', queue],
  ] as const) {
    if (/\s/.test(name))
      throw new MillraceError('MILLRACE_USAGE', `option ${option}: a consumer group's name has no spaces: '${name}'`, {
        context: { option },
      });
  }
  if (start.kind === 'time' && Number.isNaN(start.time.getTime()))
    throw new MillraceError('MILLRACE_USAGE', 'start: its time is not a date', { context: { option: 'start' } });
}

function checkFilter(filter: string): void {
  const fault = filterFault(filter);
  if (fault !== null)
    throw new MillraceError('MILLRACE_SUBJECT_INVALID', `'${filter}' is not a subject filter: ${fault}`, { context: { subject: filter } });
}
