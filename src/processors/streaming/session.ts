/**
 * One STAN session: open between `open` and `lost`, and `lost` is told once, before the library can tell anybody anything wrong. A lost
 * session never comes back; a new one takes its place.
 */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { redact } from '../../connections/nats-errors.ts';
import { stanSettings } from './settings.ts';
import type { StanClient, StanFault, StanLibrary } from './stan-library.ts';
import { faultText } from './stan-library.ts';

const DEFAULT_PAYLOAD_BYTES_MAX = 1_048_576;

export interface SessionRequest {
  readonly library: StanLibrary;
  readonly options: ResolvedOptions;
  readonly clientId: string;
  readonly server: string;
  readonly onLost: (session: StanSession, reason: string) => void;
  readonly onForbidden: (text: string) => void;
  readonly onWarning: (text: string) => void;
}

export class StanSession {
  readonly client: StanClient;
  readonly server: string;
  readonly #request: SessionRequest;
  #live = false;
  #ended = false;

  /** Resolves with a session that may be used (pitfall 2: what is published before `connect` goes to a subject nobody reads). */
  static async open(request: SessionRequest): Promise<StanSession> {
    try {
      return await new StanSession(request, false).#opened();
    } catch (error) {
      if (!(error instanceof TlsWanted)) throw error;
      return new StanSession(request, true).#opened();
    }
  }

  private constructor(request: SessionRequest, tls: boolean) {
    const { options, warnings } = stanSettings(request.options, request.server, tls);
    for (const warning of warnings) request.onWarning(warning);
    this.#request = request;
    this.server = request.server;
    this.client = request.library.connect(request.options.stream, request.clientId, options);
  }

  /** May be published to and acked on. */
  get live(): boolean {
    return this.#live;
  }

  get payloadBytesMax(): number {
    return this.client.nc?.info?.max_payload ?? DEFAULT_PAYLOAD_BYTES_MAX;
  }

  get serverVersion(): string {
    return this.client.nc?.info?.version ?? '?';
  }

  /** Resolves when the server has read all that was sent, false when that cannot be known in time. */
  async flush(timeoutMs: number): Promise<boolean> {
    const { nc } = this.client;
    if (!this.#live || nc === undefined) return false;
    return within(timeoutMs, (resolve) => nc.flush((fault) => resolve(fault === undefined || fault === null)));
  }

  /** Leaves in good order: the server forgets the client id at once. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#live = false;
    await within(timeoutMs, (resolve) => {
      this.client.on('close', () => resolve(true));
      this.client.close();
    });
    this.#destroy();
  }

  /** The session is of no use any more, whatever the library thinks of it. */
  fail(reason: string): void {
    if (this.#ended) return;
    const wasLive = this.#live;
    this.#ended = true;
    this.#live = false;
    if (wasLive) this.#request.onLost(this, reason);
    this.#destroy();
  }

  async #opened(): Promise<this> {
    const { options } = this.#request;
    const { client } = this;
    let refuse: (error: Error) => void = () => undefined;
    const refused = new Promise<never>((_resolve, reject) => (refuse = reject));
    // The NATS server below has told of itself, and the cluster has not answered: that is another fault than an address nobody listens at.
    const silence = (): string => (client.nc?.info ? 'connect request timeout' : 'no answer in time');
    const late = setTimeout(() => refuse(this.#openError(silence())), options.connectTimeoutMs);
    const end = (fault: StanFault): void => {
      if (this.#live) this.fail(faultText(fault));
      else refuse(this.#openError(faultText(fault)));
    };
    // Heard before `close`, at which the library calls the handlers of unanswered publishes without an error, as if they were acked.
    client.on('disconnect', () => end('disconnected'));
    client.on('connection_lost', end);
    client.on('error', end);
    client.on('close', () => end('closed'));
    client.on('permission_error', (fault) => this.#request.onForbidden(faultText(fault)));
    try {
      await Promise.race([refused, new Promise<void>((resolve) => client.on('connect', resolve))]);
      this.#live = true;
      return this;
    } catch (error) {
      this.#ended = true;
      this.#destroy();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Stops the library's timers and settles its own table of unanswered publishes; ours is settled already. */
  #destroy(): void {
    try {
      this.client.closeWithError('connection_lost', new Error('stan: Connection closed'));
    } catch {
      // Closed before it was made, or twice.
    }
  }

  #openError(text: string): Error {
    const { options, server, clientId } = this.#request;
    const { stream, tls } = options;
    if (/requires a secure connection/i.test(text) && tls !== 'off') return new TlsWanted(text);
    const said = redact(text, options);
    const context = { processor: 'streaming', servers: [server], stream };
    const code = /authoriz|authentic/i.test(said)
      ? 'MILLRACE_AUTH'
      : /certificate|secure connection|\btls\b|\bssl\b/i.test(said)
        ? 'MILLRACE_TLS'
        : 'MILLRACE_CONNECT';
    if (/clientID already registered/i.test(said)) {
      const message = `the client id ${clientId} is in use by a live process: give each its own clientId, or share a durable through a queue group`;
      return new MillraceError('MILLRACE_CONNECT', message, { retryable: false, context });
    }
    const hint = /connect request timeout/.test(said) ? `nobody there serves the cluster '${stream}'` : said;
    return new MillraceError(code, `cannot open a session with NATS Streaming at ${server}: ${hint}`, { context });
  }
}

class TlsWanted extends Error {}

/** Resolves as `start` says, or false after the deadline. */
export async function within(timeoutMs: number, start: (resolve: (value: boolean) => void) => void): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
      start(resolve);
    });
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
