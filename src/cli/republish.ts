/** Publishes events again with a bounded number on their way, and counts what became of each. */
import { createHash } from 'node:crypto';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { MillraceError } from '../api/errors.ts';
import { wrapError } from '../api/errors.ts';
import type { Delivery, Headers, PublishOptions } from '../api/event.ts';
import type { EventProcessor } from '../api/processor.ts';

const OPEN_MAX = 1_024;
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
  readonly #to: EventProcessor;

  constructor(to: EventProcessor) {
    this.#to = to;
  }

  get inFlight(): number {
    return this.#open;
  }

  /** Resolves when there is room for the next; throws when there will be none any more. */
  async send(subject: string, event: unknown, options: PublishOptions & { readonly stored?: () => void }): Promise<void> {
    while (this.#open >= OPEN_MAX) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.gone !== null) throw this.gone;
    this.#open += 1;
    void this.#publish(subject, event, options);
    const token = subject.split('.', 1)[0]!;
    if (this.#tokens.has(token)) return;
    // The first of a token makes or checks its stream: what follows must not overtake it.
    this.#tokens.add(token);
    await this.settled();
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
