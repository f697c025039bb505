/** One Kafka record as the engine sees it: headers are read when asked for, and the object is used again for the next. */
import type { Headers } from '../../api/event.ts';
import type { InboundMessage } from '../broker.ts';
import { KEY_HEADER, SUBJECT_HEADER } from './record.ts';

/** What the library makes of a record. */
export interface FetchedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timeMs: number;
  readonly subject: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

const EMPTY: Uint8Array = new Uint8Array(0);
const SUBJECT_NAME = Buffer.from(SUBJECT_HEADER);

/** The subject a record was published to; a record of another producer has none, and takes the topic's name. */
export function subjectOf(headers: FetchedRecord['headers'], topic: string): string {
  for (const [name, value] of headers) if (name !== null && value !== null && name.equals(SUBJECT_NAME)) return value.toString();
  return topic;
}

export class ReceivedMessage implements InboundMessage {
  subject = '';
  payload: Uint8Array = EMPTY;
  /** The record's offset: unique within its partition. */
  sequence = 0;
  partition = 0;
  timeMs = 0;
  /** Kafka does not count them. */
  readonly redeliveries = 0;
  handle: unknown = null;
  #record: FetchedRecord | null = null;

  take(record: FetchedRecord, handle: unknown): void {
    this.subject = record.subject;
    this.payload = record.value ?? EMPTY;
    this.sequence = record.offset;
    this.partition = record.partition;
    this.timeMs = record.timeMs;
    this.handle = handle;
    this.#record = record;
  }

  drop(): void {
    this.payload = EMPTY;
    this.#record = null;
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (const [each, value] of this.#record?.headers ?? []) {
      if (each !== null && each.length === name.length && each.toString().toLowerCase() === wanted) return value?.toString() ?? '';
    }
    return wanted === KEY_HEADER.toLowerCase() ? this.#key : undefined;
  }

  headers(): Headers {
    const all = Object.create(null) as Record<string, string>;
    for (const [name, value] of this.#record?.headers ?? []) {
      if (name !== null && !name.equals(SUBJECT_NAME)) all[name.toString()] = value?.toString() ?? '';
    }
    const key = this.#key;
    if (key !== undefined) all[KEY_HEADER] = key;
    return all;
  }

  /** A key of its own, beside the subject. */
  get #key(): string | undefined {
    const key = this.#record?.key?.toString();
    return key === undefined || key === this.subject ? undefined : key;
  }
}
