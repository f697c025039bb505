/** The engine's typed events; the library never logs by itself, and an `error` that nobody hears is not swallowed. */
import { EventEmitter } from 'node:events';
import type { MillraceError } from '../api/errors.ts';
import type { ProcessorEvents } from '../api/processor.ts';
import type { ProcessorState } from '../api/report.ts';
import type { Logger } from '../config/resolved.ts';

export class Signals {
  readonly #emitter: EventEmitter = new EventEmitter();
  readonly #logger: Logger;
  #state: ProcessorState = 'opening';
  /** Why the broker takes nothing now although it is there; null = it takes. */
  refusing: string | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get current(): ProcessorState {
    return this.#state;
  }

  on<E extends keyof ProcessorEvents>(event: E, listener: ProcessorEvents[E]): void {
    this.#emitter.on(event, listener);
  }

  off<E extends keyof ProcessorEvents>(event: E, listener: ProcessorEvents[E]): void {
    this.#emitter.off(event, listener);
  }

  /** Hot paths ask first, so that nothing is built for nobody. */
  listens(event: keyof ProcessorEvents): boolean {
    return this.#emitter.listenerCount(event) > 0;
  }

  emit<E extends keyof ProcessorEvents>(event: E, ...values: Parameters<ProcessorEvents[E]>): void {
    if (event === 'warning') this.#logger.warn({}, values[0] as string);
    if (event === 'error') {
      const error = values[0] as MillraceError;
      this.#logger.error({ code: error.code, context: error.context }, error.message);
      if (!this.listens('error')) {
        // Thrown as Node does it, but not here: whoever is settling a slab must come to its end.
        process.nextTick(() => {
          throw error;
        });
        return;
      }
    }
    this.#emitter.emit(event, ...values);
  }

  /** `closed` is final, and `draining` only ends in it. */
  state(state: ProcessorState, reason?: MillraceError): void {
    if (this.#state === state || this.#state === 'closed' || (this.#state === 'draining' && state !== 'closed')) return;
    this.#state = state;
    this.#logger.info({ state, ...(reason === undefined ? {} : { code: reason.code, reason: reason.message }) }, `state: ${state}`);
    if (reason === undefined) this.emit('state', state);
    else this.emit('state', state, reason);
  }
}
