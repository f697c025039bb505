/**
 * Reaches the socket below a NATS client connection, and says null when the library is not built as known: callers then publish
 * through the client. Everything here is private to the library and was read in version 2.29.
 */
import type { Socket } from 'node:net';
import type { ClientWire } from './frame.ts';
import type { NatsConnection } from './nats-library.ts';

interface Internals {
  readonly protocol?: {
    readonly transport?: { readonly socket?: Socket & { readonly encrypted?: boolean }; closed?(): Promise<unknown> };
    readonly outbound?: { size?(): number };
    flushPending?(): void;
  };
}

export interface LiveWire extends ClientWire {
  /** Resolves, within a microtask, when the socket is gone: earlier than any event of the client. */
  readonly gone: Promise<unknown>;
}

export function wireOf(connection: NatsConnection): LiveWire | null {
  const { protocol } = connection as unknown as Internals;
  const socket = protocol?.transport?.socket;
  const gone = protocol?.transport?.closed?.();
  const { outbound } = protocol ?? {};
  if (protocol === undefined || socket === undefined || gone === undefined) return null;
  if (typeof socket.cork !== 'function' || typeof outbound?.size !== 'function' || typeof protocol.flushPending !== 'function') return null;
  return {
    socket,
    gone,
    encrypted: socket.encrypted === true,
    flushClient: () => {
      if (outbound.size!() > 0) protocol.flushPending!();
    },
  };
}
