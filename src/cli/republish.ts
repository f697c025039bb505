/** Publishes events again with a bounded number on their way, and counts what became of each. */
import { createHash } from 'node:crypto';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { MillraceError } from '../api/errors.ts';
import { wrapError } from '../api/errors.ts';
import type { Delivery, Headers, PublishOptions } from '../api/event.ts';
import type { EventProcessor } from '../api/processor.ts';

/** On their way at once, at most: enough to fill batches while earlier ones are on their way to the disk, and no more bytes than that takes. */
const OPEN_MAX = 16_384;
const OPEN_BYTES_MAX = 16 * 1_024 * 1_024;
/** One in so many events is measured. */
const SAMPLE = 64;
/** Said by whoever publishes, of its own message: they would be wrong on another. */
const OWN_HEADERS = /^(?:content-type|content-encoding|millrace-.*|nats-.*)$/i;

export class Republisher {
  acked = 0;
  duplicates = 0;
  failed = 0;
  /** Of the first that failed. */
  error: MillraceError | null = null;
  /** Nothing can be published any more. */
  gone: MillraceError | null = null;
  #open = 0;
  readonly #tokens: Set<string> = new Set();
  #wake: (() => void) | null = null;
  #sent = 0;
  #openMax = 1;
  #largest = 0;
  readonly #to: EventProcessor;
  readonly #bytesOf: (event: unknown) => number;

  constructor(to: EventProcessor, bytesOf: (event: unknown) => number) {
    this.#to = to;
    this.#bytesOf = bytesOf;
  }

  get inFlight(): number {
    return this.#open;
  }

  /** Resolves when there is room for the next; throws when there will be none any more. */
  async send(subject: string, event: unknown, options: PublishOptions & { readonly stored?: () => void }): Promise<void> {
    if (this.#sent++ % SAMPLE === 0) this.#measure(event);
    while (this.#open >= this.#openMax) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.gone !== null) throw this.gone;
    this.#open += 1;
    void this.#publish(subject, event, options);
    const token = subject.split('.', 1)[0]!;
    if (this.#tokens.has(token)) return;
    // The first of a token makes or checks its stream: what follows must not overtake it.
    this.#tokens.add(token);
    await this.settled();
  }

  /** By the larger ones: the last counts for a while. */
  #measure(event: unknown): void {
    this.#largest = Math.max(this.#bytesOf(event), this.#largest * 0.9, 1);
    this.#openMax = Math.max(1, Math.min(OPEN_MAX, Math.floor(OPEN_BYTES_MAX / this.#largest)));
  }

  async settled(): Promise<void> {
    while (this.#open > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async #publish(
    subject: string,
    event: unknown,
    { stored, ...options }: PublishOptions & { readonly stored?: () => void },
  ): Promise<void> {
    try {
      const { duplicate } = await this.#to.publish(subject, event, options);
      if (duplicate) this.duplicates += 1;
      else this.acked += 1;
      stored?.();
    } catch (thrown) {
      const error = wrapError('MILLRACE_INTERNAL', thrown);
      this.failed += 1;
      this.error ??= error;
      if (!error.retryable && exitCodeOf(error.code) === exitCodes.broker) this.gone = error;
    }
    this.#open -= 1;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** Headers that are the event's own. */
export function ownHeaders(headers: Headers): Headers | undefined {
  const own = Object.entries(headers).filter(([name]) => !OWN_HEADERS.test(name));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** The event's id; without one its place in the source, so that the same replay again makes no second copies where the target can tell. */
export function idAgain(delivery: Delivery, source: string, placed: boolean): string | undefined {
  if (delivery.id !== null) return delivery.id;
  return placed ? `replay-${source}-${delivery.sequence}-${delivery.index}` : undefined;
}

export function sourceMark(target: string): string {
  return createHash('sha256').update(target).digest('hex').slice(0, 12);
}
