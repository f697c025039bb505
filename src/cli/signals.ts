/** SIGINT and SIGTERM: the first asks to drain, within a deadline; the second, or the deadline, ends the process with exit code 5. */
import { exitCodes } from './exit-codes.ts';
import { note } from './output.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface StopRequest {
  /** Longest time from the first signal to the end. */
  readonly drainTimeoutMs: number;
  /** Events that would be left unsettled now. */
  readonly unsettled: () => number;
}

/** Listens while a command runs. */
export class Stop {
  readonly #controller: AbortController = new AbortController();
  readonly #request: StopRequest;
  #received: StopSignal | null = null;
  #deadline: NodeJS.Timeout | undefined;

  constructor(request: StopRequest) {
    this.#request = request;
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  /** Aborted by the first signal, or by `stop`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that asked to end, or null. */
  get received(): StopSignal | null {
    return this.#received;
  }

  /** Ends the work as a signal does, for a reason of our own. */
  stop(): void {
    this.#controller.abort();
  }

  /** Exit code of a run that drained: the signal's own, else `code`. */
  exitCode(code: number): number {
    return this.#received === null ? code : exitCodes[this.#received];
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline);
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }

  readonly #onSignal = (signal: StopSignal): void => {
    if (this.#received !== null) this.#force(`second ${signal}`);
    this.#received = signal;
    note(`millrace: ${signal}: draining, once more to stop at once`);
    this.#deadline = setTimeout(() => this.#force('drain deadline passed'), this.#request.drainTimeoutMs);
    this.#controller.abort();
  };

  #force(why: string): never {
    note(`millrace: ${why}: stopped with ${this.#request.unsettled().toLocaleString('en')} events unsettled`);
    process.exit(exitCodes.unsettled);
  }
}
