/**
 * A pool of named NATS connections. A subject is pinned to one of them, so its order survives the pool; each reconnects for ever,
 * with jitter, unless told otherwise; the first connect is bounded and fails with a code and without a secret.
 */
import { MillraceError } from '../api/errors.ts';
import { connectError } from './nats-errors.ts';
import type { NatsConnection } from './nats-library.ts';
import { connect } from './nats-library.ts';
import type { LinkListener } from './nats-link.ts';
import { NatsLink } from './nats-link.ts';
import type { NatsTarget, SharedSettings, SlotSettings } from './nats-settings.ts';
import { natsOptions, shareSettings } from './nats-settings.ts';

export interface PoolListener {
  up(link: NatsLink): void;
  down(link: NatsLink): void;
  forbidden(link: NatsLink, subject: string): void;
  state(state: 'open' | 'reconnecting' | 'closed', reason?: MillraceError): void;
  warning(message: string): void;
}

export interface PoolRequest {
  /** Publish-only slots do not hear their own messages. */
  readonly noEcho: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface PoolHealth {
  readonly rttMs: number | null;
  readonly server: string | null;
  readonly reasons: readonly string[];
}

const RTT_MS_MAX = 2_000;

export class NatsPool {
  readonly #target: NatsTarget;
  readonly #shared: SharedSettings;
  readonly #listener: PoolListener;
  readonly #links: NatsLink[] = [];
  #reader: Promise<NatsLink> | null = null;
  readonly #waitingForUp: Set<() => void> = new Set();
  #closed = false;
  #refused: MillraceError | null = null;

  /** Opens all connections, or none. */
  static async open(target: NatsTarget, listener: PoolListener, request: PoolRequest): Promise<NatsPool> {
    const pool = new NatsPool(target, listener);
    try {
      for (let slot = 0; slot < target.connections; slot++) {
        pool.#links.push(await pool.#open(slot, { slot: String(slot), noEcho: request.noEcho }, request.signal));
      }
    } catch (error) {
      await pool.close();
      throw error;
    }
    for (const warning of pool.#shared.warnings) listener.warning(warning);
    return pool;
  }

  private constructor(target: NatsTarget, listener: PoolListener) {
    this.#target = target;
    this.#listener = listener;
    this.#shared = shareSettings(target);
  }

  /** The publishing connections. */
  get links(): readonly NatsLink[] {
    return this.#links;
  }

  /** The connection of a subject: always the same one. */
  linkFor(subject: string): NatsLink {
    return this.#links[this.#links.length === 1 ? 0 : hashOf(subject) % this.#links.length]!;
  }

  /**
   * One more connection, opened when first asked for: reading does not wait behind publishes. While it reconnects the client
   * drops what is asked of it, so it is waited for.
   */
  async reader(): Promise<NatsLink> {
    this.#reader ??= this.#open(this.#links.length, { slot: 'read', noEcho: false }).catch((error: unknown) => {
      this.#reader = null;
      throw error;
    });
    const link = await this.#reader;
    if (!link.up) await this.#nextUp(link);
    return link;
  }

  async #nextUp(link: NatsLink): Promise<void> {
    let tell = (): void => undefined;
    const up = new Promise<void>((resolve) => (tell = () => (link.up ? resolve() : undefined)));
    this.#waitingForUp.add(tell);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(timeoutError(this.#target)), this.#target.connectTimeoutMs);
    });
    await Promise.race([up, late]).finally(() => {
      clearTimeout(timer);
      this.#waitingForUp.delete(tell);
    });
  }

  /** Smallest of the servers the pool is connected to. */
  get payloadBytesMax(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (let index = 0; index < this.#links.length; index += 1) least = Math.min(least, this.#links[index]!.payloadBytesMax);
    return least;
  }

  get serverVersion(): string {
    return this.#links[0]?.connection.info?.version ?? '0.0.0';
  }

  async health(): Promise<PoolHealth> {
    const reasons: string[] = [];
    if (this.#closed) reasons.push('closed');
    for (const link of this.#links)
      if (!link.up) reasons.push(`connection ${link.slot} is not connected to ${this.#target.servers.join(', ')}`);
    if (this.#refused !== null) reasons.push(this.#refused.message);
    const link = this.#links.find((candidate) => candidate.up);
    if (link === undefined) return { rttMs: null, server: null, reasons };
    const rttMs = await rttOf(link.connection);
    if (rttMs === null) reasons.push(`no answer to a ping within ${RTT_MS_MAX} ms`);
    const server = `nats-server ${link.connection.info?.version ?? '?'} at ${link.connection.getServer()}`;
    return { rttMs, server, reasons };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const reader = await this.#reader?.catch(() => null);
    await Promise.all([...this.#links, ...(reader ? [reader] : [])].map((link) => link.close()));
    this.#listener.state('closed');
  }

  async #open(slot: number, settings: SlotSettings, signal?: AbortSignal): Promise<NatsLink> {
    const connection = await firstConnect(this.#target, this.#shared, settings, signal);
    const isReader = settings.slot === 'read';
    const listener: LinkListener = {
      up: (link) => {
        this.#refused = null;
        for (const tell of this.#waitingForUp) tell();
        this.#listener.up(link);
        if (this.#links.every((each) => each.up)) this.#listener.state('open');
      },
      down: (link) => {
        this.#listener.down(link);
        if (!this.#closed && !isReader) this.#listener.state('reconnecting');
      },
      forbidden: (link, subject) => this.#listener.forbidden(link, subject),
      refused: (_link, reason) => {
        this.#refused = reason;
        this.#listener.state('reconnecting', reason);
      },
      closed: (_link, reason) => {
        if (reason === undefined || this.#closed) return;
        this.#listener.state('closed', reason);
        void this.close();
      },
    };
    return new NatsLink(slot, connection, listener, this.#target);
  }
}

/** FNV-1a, 32 bit, over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

async function firstConnect(
  target: NatsTarget,
  shared: SharedSettings,
  settings: SlotSettings,
  signal?: AbortSignal,
): Promise<NatsConnection> {
  if (signal?.aborted === true) throw new MillraceError('MILLRACE_ABORTED', 'the connect was aborted', { cause: signal.reason });
  const dial = connect(natsOptions(target, shared, settings));
  const stop = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(timeoutError(target)), target.connectTimeoutMs);
    const abort = (): void => reject(new MillraceError('MILLRACE_ABORTED', 'the connect was aborted', { cause: signal?.reason }));
    signal?.addEventListener('abort', abort, { signal: stop.signal });
    stop.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([dial, late]);
  } catch (error) {
    // A dial that succeeds after all is nobody's any more.
    void dial.then((connection) => connection.close()).catch(() => undefined);
    throw connectError(error, target);
  } finally {
    stop.abort();
  }
}

const timeoutError = (target: NatsTarget): MillraceError =>
  new MillraceError('MILLRACE_CONNECT', `no NATS server at ${target.servers.join(', ')} answered within ${target.connectTimeoutMs} ms`);

async function rttOf(connection: NatsConnection): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), RTT_MS_MAX)));
  try {
    return await Promise.race([connection.rtt().catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
