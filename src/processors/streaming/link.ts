/** Keeps a STAN session: when one is lost, `down` is told at once and a new one is opened, for ever, with jitter, unless told otherwise. */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { StanLibrary } from './stan-library.ts';
import { StanSession } from './session.ts';

export interface StanLinkListener {
  up(session: StanSession): void;
  down(session: StanSession): void;
  /** It is closed for ever, unasked. */
  closed(reason: MillraceError): void;
  forbidden(text: string): void;
  warning(text: string): void;
}

export interface StanLinkRequest {
  readonly library: StanLibrary;
  readonly options: ResolvedOptions;
  readonly clientId: string;
  readonly listener: StanLinkListener;
}

const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 2_000;
const CLOSE_MS_MAX = 2_000;
/** Another live process took the id: after so many refusals it is not a ghost of our own. */
const ID_REFUSALS_MAX = 5;

export class StanLink {
  readonly #request: StanLinkRequest;
  #session: StanSession | null = null;
  #nextServer = 0;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(request: StanLinkRequest) {
    this.#request = request;
  }

  get session(): StanSession | null {
    return this.#session;
  }

  /** First connect: each server once, within `connectTimeoutMs` each; the last error says why. */
  async open(signal?: AbortSignal): Promise<StanSession> {
    const { servers } = this.#request.options;
    let failure: unknown;
    for (let attempt = 0; attempt < servers.length; attempt++) {
      if (signal?.aborted === true) throw new MillraceError('MILLRACE_ABORTED', 'the connect was aborted', { cause: signal.reason });
      try {
        return await this.#connect();
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    const session = this.#session;
    this.#session = null;
    if (session === null) return;
    if (session.live) this.#request.listener.down(session);
    await session.close(CLOSE_MS_MAX);
  }

  async #connect(): Promise<StanSession> {
    const { library, options, clientId, listener } = this.#request;
    const server = options.servers[this.#nextServer++ % options.servers.length]!;
    const session = await StanSession.open({
      library,
      options,
      clientId,
      server,
      onLost: (lost, reason) => this.#lost(lost, reason),
      onForbidden: (text) => listener.forbidden(text),
      onWarning: (text) => listener.warning(text),
    });
    if (this.#closed) {
      await session.close(CLOSE_MS_MAX);
      throw new MillraceError('MILLRACE_CLOSED', 'closed while it was connecting');
    }
    this.#session = session;
    return session;
  }

  #lost(session: StanSession, reason: string): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#request.listener.down(session);
    void this.#rebuild(reason);
  }

  async #rebuild(reason: string): Promise<void> {
    const { options, listener } = this.#request;
    const startMs = performance.now();
    let refusals = 0;
    let last: unknown = reason;
    while (!this.#closed) {
      const overdue = options.reconnectTimeoutMs > 0 && performance.now() - startMs > options.reconnectTimeoutMs;
      if (!options.reconnect || overdue || refusals >= ID_REFUSALS_MAX) return this.#giveUp(last);
      await this.#pause();
      if (this.#closed) return;
      try {
        const session = await this.#connect();
        // Lost again before anybody could be told: that has started a rebuild of its own.
        if (this.#session === session) listener.up(session);
        return;
      } catch (error) {
        last = error;
        if (error instanceof MillraceError && !error.retryable && error.code === 'MILLRACE_CONNECT') refusals++;
      }
    }
  }

  #giveUp(last: unknown): void {
    this.#closed = true;
    const why = last instanceof Error ? last.message : String(last);
    this.#request.listener.closed(
      new MillraceError('MILLRACE_CONNECTION_LOST', `the session was lost and is not being restored: ${why}`, {
        context: { processor: 'streaming' },
      }),
    );
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RECONNECT_MS_MIN + Math.random() * (RECONNECT_MS_MAX - RECONNECT_MS_MIN));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
