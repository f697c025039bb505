/** Makes the topic when it is missing and may be made, or says in what an existing one falls short of what was asked for. */
import { MillraceError, messageOf } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { Admin, KafkaLibrary } from './kafka-library.ts';
import type { TopicShape } from './publisher.ts';

/** Kafka's default of `max.message.bytes`, for brokers that do not let us look. */
const MESSAGE_BYTES_DEFAULT = 1_048_588;
/** Head of a record batch: the limit counts it. */
const BATCH_BYTES = 128;
const SETTLE_MS_MAX = 10_000;
const SETTLE_POLL_MS = 50;
const NAME = /^[A-Za-z0-9._-]{1,249}$/;

export interface TopicLayout extends TopicShape {
  readonly id: string;
  /** Leader of each partition. */
  readonly leaders: readonly number[];
  readonly replicas: number;
}

export class TopicSetup {
  readonly #library: KafkaLibrary;
  readonly #admin: Admin;
  readonly #options: ResolvedOptions;
  #prepared: Promise<TopicShape> | null = null;

  constructor(library: KafkaLibrary, admin: Admin, options: ResolvedOptions) {
    this.#library = library;
    this.#admin = admin;
    this.#options = options;
  }

  /** Cheap when it was done before. */
  prepare(): Promise<TopicShape> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = null;
      throw error;
    });
    return this.#prepared;
  }

  /** The topic was not there when it was written to: look again at the next `prepare`. */
  forget(): void {
    this.#prepared = null;
  }

  /** What a reader needs: the topic as it is. */
  async existing(): Promise<TopicLayout> {
    const layout = await this.#look();
    if (layout === null) throw this.#missing('readers do not create it');
    return layout;
  }

  async #prepare(): Promise<TopicShape> {
    const { stream, createStream } = this.#options;
    if (!NAME.test(stream) || stream === '.' || stream === '..') {
      const message = `'${stream}' is not a topic name: 1 to 249 letters, digits, dots, dashes and underscores`;
      throw new MillraceError('MILLRACE_CONFIG', message, { context: { processor: 'kafka', stream } });
    }
    let layout = await this.#look();
    if (layout === null) {
      if (!createStream) throw this.#missing('createStream is off');
      await this.#create();
      layout = await this.#settled();
    }
    this.#check(layout);
    return { partitions: layout.partitions, messageBytesMax: await this.#messageBytesMax() };
  }

  async #look(): Promise<TopicLayout | null> {
    const { stream } = this.#options;
    try {
      const { topics } = await this.#admin.metadata({ topics: [stream], forceUpdate: true });
      const topic = topics.get(stream);
      if (topic === undefined || topic.partitionsCount === 0) return null;
      const leaders = topic.partitions.map(({ leader }) => leader);
      return {
        id: topic.id,
        partitions: topic.partitionsCount,
        leaders,
        replicas: topic.partitions[0]!.replicas.length,
        messageBytesMax: 0,
      };
    } catch (error) {
      if (messageOf(error).startsWith('Unknown topic ') || has(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return null;
      if (has(error, 'LEADER_NOT_AVAILABLE')) return null;
      throw this.#failed(error, 'look at');
    }
  }

  async #create(): Promise<void> {
    const { stream, partitions, replicas, maxAgeMs, maxBytes } = this.#options;
    const configs = [
      ...(maxAgeMs > 0 ? [{ name: 'retention.ms', value: String(maxAgeMs) }] : []),
      ...(maxBytes > 0 ? [{ name: 'retention.bytes', value: String(Math.ceil(maxBytes / partitions)) }] : []),
    ];
    try {
      await this.#admin.createTopics({ topics: [stream], partitions, replicas, configs });
    } catch (error) {
      // Another process made it in the meantime: what it made is verified like any other.
      if (!has(error, 'TOPIC_ALREADY_EXISTS')) throw this.#failed(error, 'create');
    }
  }

  /** A new topic is known before its partitions have leaders. */
  async #settled(): Promise<TopicLayout> {
    const endMs = performance.now() + SETTLE_MS_MAX;
    for (;;) {
      const layout = await this.#look();
      if (layout !== null && layout.leaders.every((leader) => leader >= 0)) return layout;
      if (performance.now() > endMs) throw this.#missing(`its partitions got no leader within ${SETTLE_MS_MAX} ms`);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
    }
  }

  /** Fewer partitions or replicas than asked for break a promise; more of either keep it. */
  #check({ partitions, replicas }: TopicLayout): void {
    const { stream, partitions: asked, replicas: copies } = this.#options;
    const faults = [
      ...(partitions < asked
        ? [`it has ${partitions} partitions, partitions asks for ${asked} (kafka-topics --alter --partitions ${asked})`]
        : []),
      ...(replicas < copies ? [`it has ${replicas} replicas, replicas asks for ${copies}`] : []),
    ];
    if (faults.length === 0) return;
    throw new MillraceError('MILLRACE_STREAM_MISMATCH', `topic ${stream}: ${faults.join('; ')}`, {
      context: { processor: 'kafka', stream },
    });
  }

  async #messageBytesMax(): Promise<number> {
    const { stream } = this.#options;
    try {
      const resources = [
        { resourceType: this.#library.ConfigResourceTypes.TOPIC, resourceName: stream, configurationKeys: ['max.message.bytes'] },
      ];
      const [described] = await this.#admin.describeConfigs({ resources });
      const value = Number(described?.configs[0]?.value);
      return (value > 0 ? value : MESSAGE_BYTES_DEFAULT) - BATCH_BYTES;
    } catch {
      return MESSAGE_BYTES_DEFAULT - BATCH_BYTES; // Not permitted: too large a message is then the broker's to refuse.
    }
  }

  #missing(why: string): MillraceError {
    const { stream } = this.#options;
    return new MillraceError('MILLRACE_STREAM_MISSING', `there is no topic ${stream}, and ${why}`, {
      context: { processor: 'kafka', stream, option: 'createStream' },
    });
  }

  #failed(error: unknown, verb: string): MillraceError {
    const { stream } = this.#options;
    const denied = has(error, 'TOPIC_AUTHORIZATION_FAILED') || has(error, 'CLUSTER_AUTHORIZATION_FAILED');
    const permanent =
      denied || ['INVALID_REPLICATION_FACTOR', 'INVALID_PARTITIONS', 'INVALID_CONFIG', 'POLICY_VIOLATION'].some((id) => has(error, id));
    return new MillraceError(denied ? 'MILLRACE_AUTH' : 'MILLRACE_BROKER', `cannot ${verb} topic ${stream}: ${reasonOf(error)}`, {
      retryable: !permanent,
      cause: error,
      context: { processor: 'kafka', stream },
    });
  }
}

interface Searchable {
  findBy?(property: string, value: unknown): { readonly message?: string; readonly serverErrorMessage?: string } | null | undefined;
}

/** Does the library's nested error hold this one of Kafka's? */
export const has = (error: unknown, apiId: string): boolean => Boolean((error as Searchable | null)?.findBy?.('apiId', apiId));

function reasonOf(error: unknown): string {
  const { errors } = error as { readonly errors?: readonly { readonly message: string; readonly serverErrorMessage?: string | null }[] };
  const first = errors?.[0];
  return first === undefined ? messageOf(error) : (first.serverErrorMessage ?? first.message);
}
