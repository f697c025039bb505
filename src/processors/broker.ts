/** What the engine asks of a broker: six small adapters implement this, and none of them ever sees shared memory by that name. */
import type { Capabilities, ProcessorKind } from '../api/capabilities.ts';
import type { MillraceError } from '../api/errors.ts';
import type { Headers } from '../api/event.ts';

/**
 * One message to publish. The object is reused: read it during the call. The bytes it points to stay valid, and must not
 * be changed, until the adapter has reported the outcome of the message's token, and not a moment longer: they are a view of
 * a slab that is overwritten afterwards.
 */
export interface OutboundMessage {
  readonly subject: string;
  /** Memory that holds the message; it may be a view of a SharedArrayBuffer. */
  readonly memory: Uint8Array;
  /** Header block in NATS form, `NATS/1.0\r\nName: value\r\n…\r\n\r\n`; `start === payloadStart` when there is none. */
  readonly start: number;
  /** The payload follows its headers directly. */
  readonly payloadStart: number;
  readonly end: number;
  /** Events in it. */
  readonly count: number;
  /** So many bytes before `start`, and the two after `end`, are the adapter's to write to, for a frame around the message; 0 or absent: none. */
  readonly lead?: number;
  /** For the first message after `readBack` (jetstream, dedupe): it is refused (`brokerCode` 10071) unless the newest stored sequence is this. -1 or absent: no matter. */
  readonly expectedSequence?: number;
}

/** Exactly one of acked, failed and unknown is called for each token that `tryPublish` took, and never from inside `tryPublish`. */
export interface PublishListener {
  acked(token: number, sequence: number, duplicate: boolean): void;
  /** Certainly not stored. `error.retryable` says whether the engine may publish it again. */
  failed(token: number, error: MillraceError): void;
  /** Possibly stored. The engine publishes it again with the same id where `resends` allows. */
  unknown(token: number, error: MillraceError): void;
  /** After `tryPublish` said false: there is room again, or the connection is back. */
  writable(): void;
  state(state: 'open' | 'reconnecting' | 'closed', reason?: MillraceError): void;
  warning(message: string): void;
}

export interface BrokerLimits {
  /** Largest message, headers included; read again after each reconnect. */
  readonly messageBytesMax: number;
}

/** What is already stored, oldest first. */
export interface ReadBackRequest {
  /** From this sequence, or from the first message stored at `fromTimeMs` or later, whichever comes first; null = by time alone. */
  readonly fromSequence: number | null;
  readonly fromTimeMs: number;
  /** Payloads are not needed; they may be there all the same. */
  readonly headersOnly: boolean;
  readonly message: (message: InboundMessage) => void;
}

export interface BrokerHealth {
  readonly rttMs: number | null;
  readonly server: string | null;
  readonly reasons: readonly string[];
}

export interface Broker {
  readonly kind: ProcessorKind;
  readonly capabilities: Capabilities;
  /** How it publishes, for stats and doctor: `multiplexer`, `fast-ingest`, `flush`, `lmdb`, `stan`, `kafka`. */
  readonly path: string;
  /** Stream, topic or channel that receipts name; null where there is none. */
  readonly stream: string | null;
  /** May an `unknown` message be published again? False for Kafka: only its client's own retries keep the sequence. */
  readonly resends: boolean;
  /** Are messages safe to publish again without an id of their own? Then the adapter finds out what was stored; known after `prepare`. */
  readonly resendsWithoutIds?: boolean;
  /** First connect, bounded by `connectTimeoutMs`; fails with MILLRACE_CONNECT, MILLRACE_AUTH, MILLRACE_TLS or MILLRACE_STORE. */
  open(listener: PublishListener, signal?: AbortSignal): Promise<void>;
  limits(): BrokerLimits;
  /** Before the first publish to a subject (or filter): makes or verifies the stream. Idempotent and cheap when known. */
  prepare(subjects: readonly string[]): Promise<void>;
  /** Hot path, called in commit order: takes the message, or says false (no credit, or not connected) and calls `writable()` later. */
  tryPublish(message: OutboundMessage, token: number): boolean;
  /** Reads understand `toPresent`. */
  readonly endsAtPresent?: boolean;
  /** Starts a read. Messages arrive at the receiver until it is closed. */
  consume(request: ConsumeRequest, receiver: MessageReceiver): Promise<BrokerReader>;
  /** Sequence of the newest stored message that matches; 0 when there is none. Needs `capabilities.replay`. */
  lastSequence(filter: string): Promise<number>;
  /** Reads what is stored, for recovery: up to the newest message, whose sequence it resolves with (0 = none). No position, no claims, no writes. */
  readBack?(request: ReadBackRequest): Promise<number>;
  /** How long the broker remembers message ids, where it does; known after `prepare`. */
  readonly duplicateWindowMs?: number;
  health(): Promise<BrokerHealth>;
  /** Idempotent. What was in flight is reported `unknown` first. */
  close(): Promise<void>;
}

export type StartAt =
  | { readonly kind: 'new' | 'all' | 'last' }
  | { readonly kind: 'sequence'; readonly sequence: number }
  | { readonly kind: 'time'; readonly time: Date };

export interface ConsumeRequest {
  readonly filter: string;
  /** '' = none. */
  readonly durable: string;
  readonly queue: string;
  readonly start: StartAt;
  readonly maxInFlight: number;
  readonly ackWaitMs: number;
  readonly noAck: boolean;
  readonly confirmAcks: boolean;
  /**
   * Ends by itself, with `ended(null)`, after all that was stored when it began. Only of brokers with `endsAtPresent`, and not in a group:
   * where sequences are counted in several partitions, no single one tells that all has been read.
   */
  readonly toPresent?: boolean;
}

/** One message read. The object and its payload are valid during the call of `message` only; `handle` stays. */
export interface InboundMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly sequence: number;
  /** Kafka: sequences and order are per partition. Absent = there is one. */
  readonly partition?: number;
  /** When the broker stored it, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Times it was handed over before. */
  readonly redeliveries: number;
  /** What ack, nak, term and working need. */
  readonly handle: unknown;
  header(name: string): string | undefined;
  headers(): Headers;
}

export interface MessageReceiver {
  message(message: InboundMessage): void;
  /** The read has ended by itself; it does not follow `close()`. */
  ended(error: MillraceError | null): void;
}

export interface BrokerReader {
  ack(handle: unknown): void;
  nak(handle: unknown, delayMs: number): void;
  term(handle: unknown, reason: string): void;
  working(handle: unknown): void;
  /** Backpressure: after `pause` at most what was already requested arrives (bounded by maxInFlight). */
  pause(): void;
  resume(): void;
  /** Resolves when every ack given has been sent (confirmed, with `confirmAcks`). */
  flush(): Promise<void>;
  /** Stops the read. A durable keeps its position; others are forgotten. Idempotent. */
  close(): Promise<void>;
}
