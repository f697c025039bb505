/**
 * Stands between the publisher and a broker that is overloaded or full: after refusals in a row nothing is sent but one batch at a time, until
 * one is taken. So a broker in trouble is asked a few times a second, whatever waits here, and the source is paused by the slabs that stay in use.
 */
import type { Signals } from './signals.ts';
import type { ErrorCode } from '../api/error-codes.ts';
import type { MillraceError } from '../api/errors.ts';
import { Breaker } from '../resilience/breaker.ts';
import type { BreakerState } from '../resilience/breaker.ts';
import type { RetryPolicy } from '../resilience/retry.ts';

/** Refusals in a row, with nothing taken in between. */
const REFUSALS_MAX = 8;
/** What a broker says that has room for nobody; other refusals are about one message. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['MILLRACE_BROKER_BUSY', 'MILLRACE_BROKER_FULL']);
/** Short: what was refused for long should go soon when it can. */
const OPEN_MS_MAX = 2_000;

export class Circuit {
  readonly #breaker: Breaker;
  readonly #publish: () => void;
  #timer: NodeJS.Timeout | null = null;
  readonly #signals: Signals;
  #reason = '';

  /** `publish` is called when something may be sent again. */
  constructor({ backoffMs, backoffMaxMs }: RetryPolicy, signals: Signals, publish: () => void) {
    this.#publish = publish;
    this.#signals = signals;
    this.#breaker = new Breaker({
      failuresMax: REFUSALS_MAX,
      openMs: backoffMs,
      openMaxMs: Math.min(backoffMaxMs, Math.max(backoffMs, OPEN_MS_MAX)),
      onState: (state) => this.#changed(state),
    });
  }

  /** Nothing but trials is sent. */
  get open(): boolean {
    return this.#breaker.state !== 'closed';
  }

  /** Hot path. A yes while it is open is the trial: its outcome must be told. */
  tryPass(): boolean {
    if (this.#breaker.tryPass()) return true;
    if (this.#breaker.state === 'open') this.#timer ??= setTimeout(() => this.#due(), Math.max(1, this.#breaker.waitMs()));
    return false;
  }

  /** It could not be sent, or its outcome says nothing about the broker: another may go. */
  withdrawn(): void {
    if (this.open) this.#breaker.abandoned();
  }

  /** Hot path. */
  taken(): void {
    const closes = this.open;
    this.#breaker.succeeded();
    if (closes) queueMicrotask(this.#publish);
  }

  notTaken(error: MillraceError): void {
    if (error.outcome === 'failed' && error.retryable && REFUSALS.has(error.code)) {
      this.#reason = error.message;
      this.#breaker.failed();
    } else this.withdrawn();
    if (this.open) queueMicrotask(this.#publish); // Another goes, or the timer is set.
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #changed(state: BreakerState): void {
    const { refusing } = this.#signals;
    this.#signals.refusing = state === 'closed' ? null : `the broker takes nothing now: ${this.#reason}`;
    if (refusing === null) this.#signals.emit('warning', `${this.#signals.refusing}; one batch at a time is tried until it does`);
  }

  #due(): void {
    this.#timer = null;
    this.#publish();
  }
}
