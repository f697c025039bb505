/**
 * Moves a message tap from the client's parser to the socket itself: the client reads by an asynchronous loop, which makes a dozen
 * objects for each chunk. Private to the library; read in version 2.29.
 */
import type { Socket } from 'node:net';
import type { NatsConnection } from './nats-library.ts';
import { SocketMemory } from './socket-memory.ts';

/** What is moved (connections/message-tap.ts). */
export interface MovableTap {
  readonly parser: object;
  readonly between: boolean;
  take(chunk: Uint8Array): void;
  move(client: (bytes: Uint8Array) => void, back: () => void): void;
}

type Listener = (chunk: Uint8Array) => void;

interface Internals {
  readonly protocol?: {
    readonly parser?: { parse?(bytes: Uint8Array): void };
    readonly transport?: { readonly socket?: Socket; readonly yields?: readonly Uint8Array[] };
  };
}

const TRIES = 20;

/** As soon as a turn of the loop begins in which the client has read all that came, up to the end of a message; else it stays where it is. */
export function moveToSocket(connection: NatsConnection, tap: MovableTap, tries: number = TRIES): void {
  setImmediate(() => {
    const { parser, transport } = (connection as unknown as Internals).protocol ?? {};
    const { socket, yields } = transport ?? {};
    if (parser === undefined || parser !== tap.parser || socket === undefined || !Array.isArray(yields)) return; // It has reconnected, or is built in another way.
    const listeners = socket.listeners('data') as Listener[];
    if (listeners.length !== 1) return;
    // A turn begins with nothing left to do from the last: what is in neither place has been parsed.
    if (yields.length > 0 || !tap.between) return tries > 0 ? moveToSocket(connection, tap, tries - 1) : undefined;
    const [client] = listeners as [Listener];
    Reflect.deleteProperty(parser, 'parse'); // The tap's; the prototype's is the client's own.
    const take: Listener = (chunk) => tap.take(chunk);
    const memory = SocketMemory.open(socket, take);
    if (memory === null) {
      socket.on('data', take).off('data', client);
      tap.move(client, () => {
        socket.on('data', client).off('data', take);
        parser.parse = take;
      });
      return;
    }
    const kept: Listener = (bytes) => client(memory.lasting(bytes));
    tap.move(kept, () => {
      memory.take = kept; // There is no way back for the socket.
      parser.parse = take;
    });
  });
}
