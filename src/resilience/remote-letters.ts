/**
 * Publishes dead letters to a broker. One that the broker has not taken in time, or refuses, goes to a folder beside it
 * and is told, so a target that is down neither loses a letter nor stops what is at work; when it is back it is used again.
 */
import { randomBytes } from 'node:crypto';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { EventProcessor } from '../api/processor.ts';
import { redactUrl } from '../config/redact.ts';
import { Breaker } from './breaker.ts';
import { letterValue } from './dead-letter-line.ts';
import type { LetterValue } from './dead-letter-line.ts';
import type { DeadLetterInput } from './dead-letter-types.ts';
import type { DeadLetterStore } from './dead-letters.ts';
import type { LetterSink } from './letter-sink.ts';
import { LETTER_SUBJECT } from './letter-sink.ts';

const GIVE_UP_MS = 5_000;
const QUEUE_BYTES_MAX = 8 * 1_024 * 1_024;
/** As in the folder: of more, size and hash. */
const RAW_BYTES_MAX = 1_024 * 1_024;
const CHECKS = 8;
const OPEN_MS_MAX = 30_000;

export interface RemoteLettersOptions {
  readonly processor: EventProcessor;
  /** As it was given; its secrets are hidden here. */
  readonly url: string;
  readonly folder: DeadLetterStore;
  readonly onWarning: (message: string) => void;
  /** Longest wait for the broker's word on one letter. */
  readonly giveUpMs?: number;
}

interface OpenLetter {
  readonly value: LetterValue;
  readonly bytes: number;
  readonly since: number;
}

export class RemoteLetters implements LetterSink {
  readonly #processor: EventProcessor;
  readonly #place: string;
  readonly #folder: DeadLetterStore;
  readonly #warn: (message: string) => void;
  readonly #giveUpMs: number;
  readonly #breaker: Breaker;
  readonly #token: string = randomBytes(4).toString('hex');
  /** Published and not answered, oldest first. */
  readonly #open: Set<OpenLetter> = new Set();
  #openBytes = 0;
  #appended = 0;
  #beside = 0;
  /** The last letter went to the folder: what is told is told once. */
  #away = false;
  #timer: NodeJS.Timeout | null = null;
  #waiting: (() => void)[] = [];
  #closing: Promise<void> | null = null;

  constructor({ processor, url, folder, onWarning, giveUpMs = GIVE_UP_MS }: RemoteLettersOptions) {
    this.#processor = processor;
    this.#place = redactUrl(url);
    this.#folder = folder;
    this.#warn = onWarning;
    this.#giveUpMs = giveUpMs;
    this.#breaker = new Breaker({ failuresMax: 1, openMs: giveUpMs, openMaxMs: Math.max(OPEN_MS_MAX, giveUpMs) });
    // Each letter it concerns is told by its own promise.
    processor.on('error', () => undefined);
    processor.on('warning', (message) => onWarning(`dead letters at ${this.#place}: ${message}`));
  }

  append(letter: DeadLetterInput): boolean {
    if (this.#closing !== null) throw new MillraceError('MILLRACE_CLOSED', `the dead letters at ${this.#place} are closed`);
    this.#appended += 1;
    const identity = { id: `${this.#token}-${this.#appended}`, time: new Date(), rawBytesMax: RAW_BYTES_MAX };
    const value = letterValue(letter, identity);
    if (!this.#breaker.tryPass()) return this.#keepBeside(value, null);
    const open = { value, bytes: sizeOf(value), since: performance.now() };
    this.#open.add(open);
    this.#openBytes += open.bytes;
    this.#timer ??= setInterval(() => this.#giveUpLate(), Math.max(1, this.#giveUpMs / CHECKS));
    void this.#publish(open);
    return this.#openBytes < QUEUE_BYTES_MAX;
  }

  async flush(): Promise<void> {
    await this.#answered();
    await this.#folder.flush();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#answered(); // Not longer than giveUpMs.
    await this.#processor.close().catch((error: unknown) => this.#warn(`dead letters at ${this.#place}: ${messageOf(error)}`));
    await this.#folder.close();
    if (this.#beside > 0)
      this.#warn(`${this.#beside} of ${this.#appended} dead letters are in ${this.#folder.folder}: ${this.#place} did not take them`);
  }

  async #publish(open: OpenLetter): Promise<void> {
    const { value } = open;
    const subject = this.#processor.capabilities.wildcards ? `${LETTER_SUBJECT}.${value.reason}` : LETTER_SUBJECT;
    try {
      await this.#processor.publish(subject, value);
      this.#breaker.succeeded();
      if (this.#remove(open)) this.#away = false;
    } catch (error) {
      // The broker spoke of this letter alone, or nobody knows what it would say of the next.
      if (error instanceof MillraceError && error.code === 'MILLRACE_EVENT_TOO_LARGE') this.#breaker.succeeded();
      else this.#breaker.failed();
      if (this.#remove(open)) this.#keepBeside(value, error);
    }
    this.#wake();
  }

  /** False when it was given up before. */
  #remove(open: OpenLetter): boolean {
    if (!this.#open.delete(open)) return false;
    this.#openBytes -= open.bytes;
    return true;
  }

  /** The oldest is late: so is whatever stands behind it. What is answered after all stands in both places, with the same id. */
  #giveUpLate(): void {
    const [oldest] = this.#open;
    if (oldest === undefined || performance.now() - oldest.since < this.#giveUpMs) return;
    const error = new MillraceError('MILLRACE_PUBLISH_TIMEOUT', `no answer within ${this.#giveUpMs} ms`);
    this.#breaker.failed();
    for (const open of [...this.#open]) if (this.#remove(open)) this.#keepBeside(open.value, error);
    this.#wake();
  }

  #keepBeside(value: LetterValue, error: unknown): boolean {
    this.#beside += 1;
    if (!this.#away && error !== null) {
      this.#away = true;
      this.#warn(`dead letters go to ${this.#folder.folder}: ${this.#place} does not take them (${redactUrl(messageOf(error))})`);
    }
    return this.#folder.appendValue(value);
  }

  async #answered(): Promise<void> {
    while (this.#open.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    if (this.#open.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Near enough for a bound on memory. */
function sizeOf({ text, base64, message }: LetterValue): number {
  return (text ?? base64 ?? '').length + message.length + 512;
}
