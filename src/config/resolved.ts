/** The resolved options of one processor: no member is optional, every value is in its base unit. */
import type { Framing } from '../api/event.ts';
import type { IdRule, OnFull } from '../api/options.ts';
import type { ProcessorKind } from '../api/capabilities.ts';

/** Where the broker is. Members that a kind does not use hold their empty value. */
export interface TargetOptions {
  readonly kind: ProcessorKind;
  /** The connection URL with its secrets replaced; safe to print. */
  readonly url: string;
  /** `host:port`, in the order given. */
  readonly servers: readonly string[];
  /** Embedded: folder of the store. */
  readonly path: string;
  /** JetStream: stream. Kafka: topic. STAN: cluster. */
  readonly stream: string;
  /** STAN: client id; '' = one made for this process. */
  readonly clientId: string;
}

export interface ConnectionOptions {
  /** Base of the connection names; a pool slot adds its number. */
  readonly name: string;
  readonly connections: number;
  readonly user: string;
  readonly password: string;
  readonly token: string;
  /** nkey seed (text). */
  readonly nkey: string;
  /** Path of a NATS .creds file; read again at each reconnect. */
  readonly creds: string;
  readonly tls: 'auto' | 'require' | 'off';
  /** Paths of PEM files, '' = none. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Accept any certificate; warns at each start. */
  readonly insecure: boolean;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly reconnect: boolean;
  /** 0 = never give up. */
  readonly reconnectTimeoutMs: number;
  readonly pingIntervalMs: number;
}

export interface StreamOptions {
  readonly createStream: boolean;
  /** Subjects of a stream that must be created; empty = from the first publish. */
  readonly subjects: readonly string[];
  readonly replicas: number;
  readonly storage: 'file' | 'memory';
  /** 0 = no limit. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly maxMessages: number;
  /** Length of the dedupe window, ours and the broker's. */
  readonly dedupeWindowMs: number;
  /** Kafka: partitions of a topic that must be created, and record compression. */
  readonly partitions: number;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
}

export interface PipelineOptions {
  /** Threads of the pool; 0 = the stages run inline on the main thread. */
  readonly workers: number;
  readonly slabs: number;
  readonly slabBytes: number;
  readonly maxEventBytes: number;
  /** Payload of one batch at most; the broker's limit lowers it. */
  readonly batchBytes: number;
  readonly batchEvents: number;
  readonly lingerMs: number;
  readonly dedupeCapacity: number;
  /** Default id rule of ingest; null = by source. */
  readonly id: IdRule | null;
  /** Null: `publish` sends `each`, `ingest` sends `batch`. */
  readonly framing: Framing | null;
  readonly ordering: 'relaxed' | 'strict';
  readonly onFull: OnFull;
  /** Longest time in user code on one record before the worker is taken for stuck. */
  readonly workerTimeoutMs: number;
  /** V8 old-generation limit of each worker, in MiB; 0 = V8's default. */
  readonly workerHeapMiB: number;
}

export interface DeliveryOptions {
  readonly maxInFlightBytes: number;
  readonly maxInFlightMessages: number;
  readonly publishTimeoutMs: number;
  /** Attempts per batch, the first included. */
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Resend what was on the wire at a disconnect (`simple`; the other kinds always do). */
  readonly resendUnknown: boolean;
  readonly drainTimeoutMs: number;
  /** Folder of dead letters, or `off`. */
  readonly deadLetters: string;
}

/** A pino-shaped logger; the default is silent. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

export interface ResolvedOptions extends TargetOptions, ConnectionOptions, StreamOptions, PipelineOptions, DeliveryOptions {
  readonly logger: Logger;
}
