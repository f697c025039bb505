/** Publishes to the partitions of one topic: a key is always in one partition, which takes its records one request after the other. */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { OutboundMessage, PublishListener } from '../broker.ts';
import { CreditWindow } from '../credit-window.ts';
import { SubjectBytes } from '../jetstream/subject-bytes.ts';
import type { LaneListener, LaneSettings } from './lane.ts';
import { Lane } from './lane.ts';
import { partitionOf } from './murmur2.ts';
import type { Producers } from './producers.ts';
import { tooLargeError } from './publish-errors.ts';
import type { OutboundRecord } from './record.ts';
import { recordBytes, RecordMaker } from './record.ts';

type Settings = Pick<
  ResolvedOptions,
  'stream' | 'compression' | 'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs' | 'backoffMs' | 'backoffMaxMs'
>;

/** A request may hold many messages, but not more than this, whatever the topic allows: the broker's answer should not wait for megabytes. */
const REQUEST_BYTES_MAX = 1_048_576;

export interface TopicShape {
  readonly partitions: number;
  readonly messageBytesMax: number;
}

export class Publisher {
  readonly #settings: Settings;
  readonly #listener: PublishListener;
  readonly #producers: Producers;
  readonly #window: CreditWindow;
  readonly #subjects = new SubjectBytes();
  readonly #lanes: Lane[] = [];
  readonly #records = new RecordMaker();
  #topic: TopicShape | null = null;
  #reachable = true;
  #closed = false;

  constructor(producers: Producers, settings: Settings, listener: PublishListener) {
    this.#producers = producers;
    this.#settings = settings;
    this.#listener = listener;
    this.#window = new CreditWindow(
      {
        messagesMax: settings.maxInFlightMessages,
        bytesMax: settings.maxInFlightBytes,
        latencyMsMax: settings.publishTimeoutMs,
      },
      () => listener.writable(),
    );
  }

  /** Known after `prepare`. More partitions than at first are not used: they would give keys other partitions. */
  learn(topic: TopicShape): void {
    const known = this.#topic;
    this.#topic = { partitions: Math.min(known?.partitions ?? topic.partitions, topic.partitions), messageBytesMax: topic.messageBytesMax };
    this.#window.wakeNow();
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    const topic = this.#topic;
    if (topic === null || this.#closed) return this.#window.starve();
    const subject = this.#subjects.of(message.subject) as Buffer;
    const bytes = recordBytes(message, subject);
    if (bytes > topic.messageBytesMax) {
      const error = tooLargeError({ subject: message.subject, stream: this.#settings.stream }, bytes, topic.messageBytesMax);
      queueMicrotask(() => this.#listener.failed(token, error));
      return true;
    }
    if (!this.#window.tryTake(bytes)) return this.#window.starve();
    const record = this.#records.make(message, token, subject);
    this.#lane(partitionOf(record.key, topic.partitions)).push(record);
    return true;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  close(): void {
    this.#closed = true;
    const errorOf = (record: OutboundRecord, doubt: boolean): MillraceError =>
      new MillraceError(doubt ? 'MILLRACE_PUBLISH_UNKNOWN' : 'MILLRACE_CLOSED', `closed before ${record.subject} was acked`, {
        outcome: doubt ? 'unknown' : 'failed',
        context: { processor: 'kafka', subject: record.subject, stream: this.#settings.stream },
      });
    for (const lane of this.#lanes) lane?.close(errorOf);
  }

  #lane(partition: number): Lane {
    return (this.#lanes[partition] ??= new Lane(partition, this.#producers, this.#laneSettings, this.#laneListener));
  }

  get #laneSettings(): LaneSettings {
    const { stream, compression, publishTimeoutMs, backoffMs, backoffMaxMs } = this.#settings;
    const bytesMax = (): number => Math.min(REQUEST_BYTES_MAX, this.#topic?.messageBytesMax ?? REQUEST_BYTES_MAX);
    return { topic: stream, compression, timeoutMs: publishTimeoutMs, backoffMs, backoffMaxMs, bytesMax };
  }

  get #laneListener(): LaneListener {
    return {
      acked: (token, sequence, duplicate) => this.#listener.acked(token, sequence, duplicate),
      failed: (token, error) => this.#listener.failed(token, error),
      unknown: (token, error) => this.#listener.unknown(token, error),
      released: (record, unread) => {
        this.#window.give(record.bytes);
        if (unread) this.#records.reuse(record);
      },
      reachable: (yes) => this.#reach(yes),
      settled: () => this.#window.wake(),
    };
  }

  #reach(yes: boolean): void {
    if (yes === this.#reachable || this.#closed) return;
    this.#reachable = yes;
    this.#listener.state(yes ? 'open' : 'reconnecting');
  }
}
