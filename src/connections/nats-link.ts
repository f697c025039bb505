/**
 * One connection of a pool: open for publishing between `up` and `down`, and `down` is told before anything may be sent twice:
 * when it is called, the old socket is dead and reads no more of our bytes.
 */
import { MillraceError, messageOf } from '../api/errors.ts';
import type { LiveWire } from './client-wire.ts';
import { wireOf } from './client-wire.ts';
import { FrameWriter } from './frame-writer.ts';
import { isAuthCode } from './nats-errors.ts';
import type { NatsConnection, Status } from './nats-library.ts';

export interface LinkListener {
  up(link: NatsLink): void;
  down(link: NatsLink): void;
  /** It is closed for ever; `reason` when nobody asked for it. */
  closed(link: NatsLink, reason: MillraceError | undefined): void;
  /** The broker refused a publish to this subject. */
  forbidden(link: NatsLink, subject: string): void;
  /** The broker refused the credentials twice in a row while reconnecting. */
  refused(link: NatsLink, reason: MillraceError): void;
}

const AUTH_REFUSALS_MAX = 2;
const DEFAULT_PAYLOAD_BYTES_MAX = 1_048_576;

export class NatsLink {
  readonly slot: number;
  readonly connection: NatsConnection;
  readonly #listener: LinkListener;
  readonly #reconnectTimeoutMs: number;
  #up = false;
  #closing = false;
  #wire: LiveWire | null = null;
  #writer: FrameWriter | null = null;
  #giveUp: NodeJS.Timeout | undefined;
  #authRefusals = 0;
  #payloadBytesMax = DEFAULT_PAYLOAD_BYTES_MAX;

  constructor(slot: number, connection: NatsConnection, listener: LinkListener, options: { readonly reconnectTimeoutMs: number }) {
    this.slot = slot;
    this.connection = connection;
    this.#listener = listener;
    this.#reconnectTimeoutMs = options.reconnectTimeoutMs;
    this.#attach();
    void this.#watch();
    void connection.closed().then((error) => this.#ended(error ?? undefined));
  }

  get up(): boolean {
    return this.#up;
  }

  /** Null when the client's socket cannot be reached: publish through `connection` then, with copies of the bytes. */
  get writer(): FrameWriter | null {
    return this.#writer;
  }

  /** Largest message of the server connected now. */
  get payloadBytesMax(): number {
    return this.#payloadBytesMax;
  }

  /** Cuts the connection; the client makes a new one. For a peer that takes nothing: the client's own way waits for it. */
  cut(): void {
    this.#wire?.socket.destroy();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#giveUp);
    this.#writer?.flush();
    await this.connection.close();
    this.#fall();
  }

  #attach(): void {
    clearTimeout(this.#giveUp);
    const wire = wireOf(this.connection);
    this.#authRefusals = 0;
    this.#payloadBytesMax = this.connection.info?.max_payload ?? DEFAULT_PAYLOAD_BYTES_MAX;
    this.#wire = wire;
    this.#writer = wire === null ? null : new FrameWriter(wire);
    this.#up = true;
    void wire?.gone.then(() => {
      if (this.#wire === wire) this.#fall();
    });
  }

  /** Idempotent per connection: the socket's end and the client's event may come in any order. */
  #fall(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#writer?.close();
    this.#writer = null;
    this.#wire = null;
    if (!this.#closing && this.#reconnectTimeoutMs > 0) {
      this.#giveUp = setTimeout(() => void this.connection.close(), this.#reconnectTimeoutMs);
    }
    this.#listener.down(this);
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) this.#status(status);
  }

  #status(status: Status): void {
    const type: string = status.type;
    if (type === 'disconnect') this.#fall();
    // The client waits until a last write has left before it destroys a stale socket: with a full queue, for ever.
    else if (type === 'staleConnection') this.cut();
    else if (type === 'reconnect' && !this.#closing) {
      this.#attach();
      this.#listener.up(this);
    } else if (type === 'error') this.#error(status);
  }

  #error(status: Status): void {
    const code = typeof status.data === 'string' ? status.data : '';
    if (status.permissionContext?.operation === 'publish') this.#listener.forbidden(this, status.permissionContext.subject);
    if (!isAuthCode(code)) return;
    this.#authRefusals++;
    if (this.#authRefusals < AUTH_REFUSALS_MAX) return;
    this.#listener.refused(
      this,
      new MillraceError('MILLRACE_AUTH', `the server refuses the credentials (${code}); still trying`, { retryable: true }),
    );
  }

  #ended(error: Error | undefined): void {
    clearTimeout(this.#giveUp);
    this.#fall();
    if (this.#closing) return this.#listener.closed(this, undefined);
    this.#closing = true;
    const reason = error === undefined ? `no connection within ${this.#reconnectTimeoutMs} ms` : messageOf(error);
    this.#listener.closed(
      this,
      new MillraceError('MILLRACE_CONNECTION_LOST', `the connection was lost and is not being restored: ${reason}`),
    );
  }
}
