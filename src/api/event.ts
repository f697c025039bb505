/** What is published, what comes back for it, and what is handed to a reader. */

/** A small text map that travels with an event. Names are tokens, values have no line breaks. */
export type Headers = Readonly<Record<string, string>>;

export type Framing = 'batch' | 'each';

export interface PublishOptions {
  /** Identity of the event for deduplication; 1 to 256 bytes of UTF-8. */
  readonly id?: string;
  readonly headers?: Headers;
  /** Kafka: the record's key. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** The broker's word on one published event. */
export interface Receipt {
  readonly subject: string;
  /** Stream or topic it was stored in, where there is one. */
  readonly stream: string | null;
  /** Sequence (offset) of the message that holds it; 0 where the broker gives none. */
  readonly sequence: number;
  /** True when a copy with the same id was already there, or on its way. */
  readonly duplicate: boolean;
}

/** One event handed to a handler. Exactly one of ack, nak and term counts; later ones are ignored. */
export interface Delivery<T = unknown> {
  readonly event: T;
  readonly subject: string;
  /** The event's id, or null when it was published without one. */
  readonly id: string | null;
  /** Sequence (offset) of the message it came in; unique with `index`. */
  readonly sequence: number;
  /** Position within its message, from 0. */
  readonly index: number;
  /** No event of the same message follows. */
  readonly isLastOfMessage: boolean;
  /** When the broker stored it. */
  readonly time: Date;
  readonly headers: Headers;
  /** How many times it was handed over before. */
  readonly redeliveries: number;
  ack(): void;
  /** Try again, after `delayMs` milliseconds at the earliest. */
  nak(delayMs?: number): void;
  /** Never again: it becomes a dead letter with this reason. */
  term(reason?: string): void;
  /** Still busy: extends the ack wait. */
  working(): void;
}

export type Handler<T = any> = (event: T, delivery: Delivery<T>) => void | Promise<void>; // oxlint-disable-line no-explicit-any -- the caller names the type

/** Code by address: `export` (default `default`) of `module`, loaded in each worker. */
export interface ModuleReference {
  readonly module: URL | string;
  readonly export?: string;
}

/** A handler that runs in the worker pool; only its outcome crosses back. */
export type WorkerHandler = ModuleReference;

/** What a transform gets beside the event. */
export interface TransformContext {
  readonly subject: string | null;
  readonly file: string | null;
  /** Byte offset of the record in its source. */
  readonly byteOffset: number;
}

/** Changes, splits (array) or drops (undefined) an event. Synchronous. */
export type Transform = (event: unknown, context: TransformContext) => unknown;
