/** Options of the calls on a processor; those of `connect` are in src/config, made from one table. */
import type { Framing, Headers, ModuleReference } from './event.ts';
import type { StandardSchema } from './standard-schema.ts';
import type { Progress } from './report.ts';

export type Format = 'ndjson' | 'json' | 'lines' | 'csv' | 'msgpack';

/** A path, the URL of a file, a Node or web stream, or an iterable of chunks, of lines of text, or of objects. */
export type Source =
  | string
  | URL
  | NodeJS.ReadableStream
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string | object>
  | Iterable<object>;

/** `/pointer`, `hash`, `offset`, `time` or `none`. */
export type IdRule = `/${string}` | 'hash' | 'offset' | 'time' | 'none';

export type OnFull = 'block' | 'fail' | 'drop-newest';

export interface IngestOptions {
  /** Subject, or a template over the event's fields: `events.{type}`. Default `events`. */
  readonly subject?: string;
  /** Default `offset` for files, `none` otherwise. */
  readonly id?: IdRule;
  /** Default: by the file's extension, else `ndjson`. */
  readonly format?: Format;
  /** Default: gzip when the name ends in .gz. */
  readonly compression?: 'none' | 'gzip';
  readonly framing?: Framing;
  readonly transform?: ModuleReference;
  /** Checked after the transform; Standard Schema by module (a schema is not cloneable to a worker). */
  readonly schema?: ModuleReference;
  /** Headers for every event. */
  readonly headers?: Headers;
  /** Kafka: pointer to the field that is the key. */
  readonly key?: string;
  /** Events per second at most. */
  readonly maxRate?: number;
  /** Stop after so many records. */
  readonly limit?: number;
  /** Everything but the broker. */
  readonly dryRun?: boolean;
  /** Default: that of `connect`. `strict`: of each subject one batch is on its way at a time. */
  readonly ordering?: 'relaxed' | 'strict';
  readonly onFull?: OnFull;
  /** Folder, URL of a broker, or `off`. Default: `millrace-dead-letters`, made at the first reject. */
  readonly deadLetters?: string;
  /** Checkpoint file, or `off` (the default). */
  readonly checkpoint?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Where a subscription begins. */
export type StartPosition = 'new' | 'all' | 'last' | `seq:${number}` | `time:${string}` | `ago:${string}`;

export interface SubscribeOptions {
  readonly durable?: string;
  readonly queue?: string;
  readonly start?: StartPosition;
  /** Deliveries handed over and not yet settled, at most. Default 1,000. */
  readonly maxInFlight?: number;
  /** Milliseconds the broker waits for an ack; extended while a handler works. Default 5,000. */
  readonly ackWaitMs?: number;
  /** Attempts per event, the first included; then it is a dead letter. Default 5. */
  readonly maxAttempts?: number;
  /** First wait of the retry policy, doubled with jitter at each attempt. Default 100. */
  readonly backoffMs?: number;
  /** Handlers at work at once, in order for each subject (or partition). Default 1: order holds over all; in workers 2 for each worker, at most 64. */
  readonly concurrency?: number;
  /** Acks wait for the broker's confirmation. Default false. */
  readonly confirmAcks?: boolean;
  /** Read without acks. Default false. */
  readonly noAck?: boolean;
  /** Checked before the handler; an event that does not match is a dead letter. */
  readonly schema?: StandardSchema;
  readonly deadLetters?: string;
  readonly signal?: AbortSignal;
}

export interface ReplayOptions {
  readonly subject?: string;
  readonly start?: StartPosition;
  /** Stop at this sequence (inclusive) or time. Default: the last message present at the start. */
  readonly until?: `seq:${number}` | `time:${string}`;
  /** `max` (default), `original` (the gaps between the stored times) or so many events per second. */
  readonly rate?: 'max' | 'original' | number;
  readonly signal?: AbortSignal;
}

export interface DrainOptions {
  /** Default: the option `drainTimeout` of connect. */
  readonly timeoutMs?: number;
}
