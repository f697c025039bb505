/** The one interface that every processor implements; the kinds are interchangeable behind it. */
import type { Capabilities, ProcessorKind } from './capabilities.ts';
import type { MillraceError } from './errors.ts';
import type { Delivery, Handler, PublishOptions, Receipt, WorkerHandler } from './event.ts';
import type { DrainOptions, IngestOptions, ReplayOptions, Source, SubscribeOptions } from './options.ts';
import type { Health, IngestReport, Ledger, ProcessorState, Stats } from './report.ts';

/** A running read. Iterate it, or give a handler; not both. */
export interface Subscription extends AsyncDisposable, AsyncIterable<Delivery> {
  readonly filter: string;
  /** Events handed over so far. */
  readonly received: number;
  /** Resolves when it has ended: by close, by its signal, or with the error that ended it. */
  readonly closed: Promise<void>;
  /** Stops pulling and finishes what is in hand. */
  drain(): Promise<void>;
  /** Stops at once; what is in hand comes again where the broker redelivers. */
  close(): Promise<void>;
}

export interface ProcessorEvents {
  state: (state: ProcessorState, reason?: MillraceError) => void;
  /** `sequence` is 0 where the broker acks many messages at once and names none (fast ingest). */
  batch: (batch: {
    readonly subject: string;
    readonly events: number;
    readonly bytes: number;
    readonly sequence: number;
    readonly duplicate: boolean;
  }) => void;
  retry: (retry: { readonly subject: string; readonly events: number; readonly attempt: number; readonly error: MillraceError }) => void;
  deadletter: (letter: {
    readonly subject: string | null;
    readonly reason: string;
    readonly message: string;
    readonly file: string | null;
    readonly byteOffset: number;
  }) => void;
  drain: (ledger: Ledger) => void;
  warning: (message: string) => void;
  error: (error: MillraceError) => void;
}

export interface EventProcessor extends AsyncDisposable {
  readonly kind: ProcessorKind;
  readonly capabilities: Capabilities;
  /** Settles with the broker's word on this event; rejects with a `MillraceError`. */
  publish(subject: string, event: unknown, options?: PublishOptions): Promise<Receipt>;
  /** False = full, at once; the event was not taken. True = taken; failures arrive as `error` events and in the ledger. */
  tryPublish(subject: string, event: unknown, options?: PublishOptions): boolean;
  /** Bytes or objects in bulk; settles when all of it has settled. */
  ingest(source: Source | readonly Source[], options?: IngestOptions): Promise<IngestReport>;
  subscribe(filter: string, handler: Handler | WorkerHandler, options?: SubscribeOptions): Promise<Subscription>;
  subscribe(filter: string, options?: SubscribeOptions): Promise<Subscription>;
  replay(options?: ReplayOptions): AsyncIterable<Delivery>;
  health(): Promise<Health>;
  stats(): Stats;
  /** Resolves when everything admitted before the call has settled. */
  flush(): Promise<void>;
  /** Stops admitting, finishes what is in flight, then closes. */
  drain(options?: DrainOptions): Promise<Ledger>;
  /** Idempotent: closes at once and settles the rest as failed. */
  close(): Promise<void>;
  on<E extends keyof ProcessorEvents>(event: E, listener: ProcessorEvents[E]): this;
  off<E extends keyof ProcessorEvents>(event: E, listener: ProcessorEvents[E]): this;
}
