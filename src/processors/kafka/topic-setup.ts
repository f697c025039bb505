/**
 * Makes the topic when it is missing and may be made, or says in what an existing one falls short of what was asked for. Too few
 * replicas in sync are warned of: that may be set right while publishes wait.
 */
import { MillraceError, messageOf } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { Admin, KafkaLibrary } from './kafka-library.ts';
import type { TopicShape } from './publisher.ts';

/** Kafka's default of `max.message.bytes`, for brokers that do not let us look. */
const MESSAGE_BYTES_DEFAULT = 1_048_588;
/** Head of a record batch: the limit counts it. */
const BATCH_BYTES = 128;
const SETTINGS: readonly string[] = ['max.message.bytes', 'min.insync.replicas'];
const SETTLE_MS_MAX = 10_000;
const SETTLE_POLL_MS = 50;
const NAME = /^[A-Za-z0-9._-]{1,249}$/;

export interface TopicLayout extends TopicShape {
  readonly id: string;
  /** Leader of each partition. */
  readonly leaders: readonly number[];
  readonly replicas: number;
  /** Replicas of each partition that are in sync. */
  readonly inSync: readonly number[];
}

export class TopicSetup {
  readonly #library: KafkaLibrary;
  readonly #admin: Admin;
  readonly #options: ResolvedOptions;
  readonly #warn: (message: string) => void;
  #prepared: Promise<TopicShape> | null = null;

  constructor(library: KafkaLibrary, admin: Admin, options: ResolvedOptions, warn: (message: string) => void) {
    this.#library = library;
    this.#admin = admin;
    this.#options = options;
    this.#warn = warn;
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
    const { 'max.message.bytes': bytes = 0, 'min.insync.replicas': needed = 0 } = await this.#settings();
    this.#checkInSync(layout, needed);
    return { partitions: layout.partitions, messageBytesMax: (bytes > 0 ? bytes : MESSAGE_BYTES_DEFAULT) - BATCH_BYTES };
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
        inSync: topic.partitions.map(({ isr }) => isr.length),
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

  /** Of the topic, or of the broker where the topic says nothing. */
  async #settings(): Promise<Partial<Record<string, number>>> {
    const { stream } = this.#options;
    try {
      const resources = [{ resourceType: this.#library.ConfigResourceTypes.TOPIC, resourceName: stream, configurationKeys: [...SETTINGS] }];
      const [described] = await this.#admin.describeConfigs({ resources });
      return Object.fromEntries((described?.configs ?? []).map(({ name, value }) => [name, Number(value)]));
    } catch {
      return {}; // Not permitted: what is too large, or has too few replicas, is then the broker's to refuse.
    }
  }

  #checkInSync({ replicas, inSync }: TopicLayout, needed: number): void {
    const { stream } = this.#options;
    if (needed > replicas) {
      const cure = `add replicas, or kafka-configs --alter --entity-type topics --entity-name ${stream} --add-config min.insync.replicas=${replicas}`;
      const meaning = `Kafka 3.7 and newer are content with ${replicas}, older brokers refuse every write`;
      this.#warn(`topic ${stream}: min.insync.replicas asks for ${needed}, and it has ${replicas}: ${meaning} (${cure})`);
    }
    const short = inSync.findIndex((count) => count < Math.min(needed, replicas));
    if (short < 0) return;
    const found = `${inSync[short]} of ${replicas} replicas are in sync, and min.insync.replicas asks for ${needed}`;
    this.#warn(`topic ${stream}: partition ${short} takes no write just now: ${found}; publishes to it wait for the others`);
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
