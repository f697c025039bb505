/** A TCP proxy in front of a NATS server, for what only a network does: connections that are reset, answers that never arrive. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** True: chunks of whole messages from the server are thrown away. */
  deaf: boolean;
  /** Chunks thrown away. */
  readonly lost: number;
  /** Resets every connection. */
  reset(): void;
  stop(): Promise<void>;
}

export async function startProxy(to: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const listener: Server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined).on('close', () => (near.destroy(), far.destroy())));
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      if (proxy.deaf && isWholeMessages(chunk)) proxy.lost++;
      else near.write(chunk);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const proxy = {
    port: (listener.address() as AddressInfo).port,
    deaf: false,
    lost: 0,
    reset: (): void => {
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
    },
    stop: async (): Promise<void> => {
      proxy.reset();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return proxy;
}

/** So that what is left of the stream can still be parsed. */
const isWholeMessages = (chunk: Buffer): boolean => chunk.subarray(0, 4).toString() === 'MSG ' && chunk.subarray(-2).toString() === '\r\n';
