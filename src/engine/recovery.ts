/**
 * Before the first publish with ids: what earlier processes stored is known to the window (ids) or to the workers (stretches of sources), so a
 * restart lets no second copy through whatever its batch borders are.
 */
import type { Outbound } from './outbound.ts';
import type { Parts } from './parts.ts';
import { IdRecoverer } from './recovery-ids.ts';
import { StoredRanges } from './recovery-ranges.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { IdRule } from '../api/options.ts';
import type { InboundMessage, ReadBackRequest } from '../processors/broker.ts';

const RETRY_MS = 1_000;
type What = 'ids' | 'ranges';

export interface RecoveryRequest {
  readonly after: number | null;
  readonly resumes: boolean;
  readonly signal?: AbortSignal | undefined;
}

export class Recovery {
  readonly ranges: StoredRanges;
  readonly #parts: Parts;
  readonly #outbound: Outbound;
  readonly #ids: IdRecoverer;
  /** First sequence that was read of each; absent = not yet read. */
  readonly #readFrom: Map<What, number> = new Map();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: Parts, outbound: Outbound, nonce: string) {
    this.#parts = parts;
    this.#outbound = outbound;
    this.#ids = new IdRecoverer(parts.window);
    this.ranges = new StoredRanges(parts.ring, nonce);
    outbound.readOn = (fromSequence) => this.#readOn(fromSequence);
  }

  /** `dedupe` promises it; `embedded` can do it for nothing. */
  get promised(): boolean {
    const { broker } = this.#parts;
    return broker.readBack !== undefined && (broker.kind === 'dedupe' || broker.kind === 'embedded');
  }

  /** Publishing with an id may begin. */
  get idsReady(): boolean {
    return this.#readFrom.has('ids') || !this.promised;
  }

  /**
   * Fails only when the engine closes, or `signal` is aborted, meanwhile. `after`: sequence up to which nothing is in doubt (a checkpoint's), null = not known. `resumes`: there is a checkpoint; without one, `embedded`
   * takes a file that is read again for a new one. Calls run one after the other.
   */
  recover(id: IdRule, { after, resumes, signal }: RecoveryRequest = { after: null, resumes: false }): Promise<void> {
    const what: What | null = id === 'offset' ? 'ranges' : id === 'hash' || id.startsWith('/') ? 'ids' : null;
    if (what === null || !this.promised) return Promise.resolve();
    if (what === 'ranges' && !resumes && this.#parts.broker.kind === 'embedded') return Promise.resolve();
    const from = after === null ? null : after + 1;
    const turn = this.#turn.then(() => this.#recover(what, from, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #recover(what: What, fromSequence: number | null, signal: AbortSignal | undefined): Promise<void> {
    const known = this.#readFrom.get(what);
    if (known !== undefined && (fromSequence === null || fromSequence >= known)) return;
    const { broker, options, signals } = this.#parts;
    const startedMs = performance.now();
    const read = { messages: 0, from: Number.POSITIVE_INFINITY };
    const take = (message: InboundMessage): void => {
      read.messages += 1;
      read.from = Math.min(read.from, message.sequence);
      this.#take(what, message);
    };
    const idsBefore = this.#ids.ids;
    try {
      const last = await this.#patiently(
        { fromSequence, fromTimeMs: Date.now() - options.dedupeWindowMs, headersOnly: what === 'ranges', message: take },
        signal,
      );
      this.#readFrom.set(what, Math.min(read.from, last + 1, fromSequence ?? Number.POSITIVE_INFINITY));
      if (broker.kind === 'dedupe') this.#outbound.fence.raise(last);
      this.#outbound.noteSequence(last);
    } catch (error) {
      if (error instanceof MillraceError && (error.code === 'MILLRACE_CLOSED' || error.code === 'MILLRACE_ABORTED')) throw error;
      this.#readFrom.set(what, 0);
      signals.emit(
        'warning',
        `what is stored could not be read back, so copies of events that earlier processes stored may be stored again: ${messageOf(error)}`,
      );
    }
    const elapsedMs = Math.round(performance.now() - startedMs);
    options.logger.info({ messages: read.messages, ids: this.#ids.ids - idsBefore, elapsedMs }, 'read back what is stored');
  }

  #take(what: What, message: InboundMessage): void {
    if (what === 'ids') this.#ids.take(message);
    else this.ranges.take(message);
  }

  /** The broker may be away for a while; it is not asked for ever only because the engine may close. */
  async #patiently(request: ReadBackRequest, signal?: AbortSignal): Promise<number> {
    for (;;) {
      try {
        return await this.#parts.broker.readBack!(request);
      } catch (error) {
        if (this.#outbound.closed)
          throw new MillraceError('MILLRACE_CLOSED', 'the processor was closed while it read back what is stored', { cause: error });
        if (signal?.aborted === true)
          throw new MillraceError('MILLRACE_ABORTED', 'aborted while what is stored was read back', { cause: error });
        if (!(error instanceof MillraceError && error.retryable)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** The fence was refused: what has come since, for all that was recovered. */
  async #readOn(fromSequence: number): Promise<number> {
    const kinds = [...this.#readFrom.keys()];
    const message = (read: InboundMessage): void => kinds.forEach((what) => this.#take(what, read));
    const last = await this.#patiently({ fromSequence, fromTimeMs: Date.now() + FAR_MS, headersOnly: !kinds.includes('ids'), message });
    this.ranges.refresh();
    return last;
  }
}

/** So that the sequence decides where it begins, and never the time. */
const FAR_MS = 365 * 24 * 3_600_000;
