/** Stands between client and server and can be deaf in either direction, or gone: what was sent is then in doubt. */
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export class DeafProxy {
  /** What the server says is swallowed; what the client says is swallowed. */
  muteServer = false;
  muteClient = false;
  readonly #target: number;
  readonly #sockets: Set<Socket> = new Set();
  readonly #server = createServer((client) => this.#join(client));
  #refusing = false;

  private constructor(target: number) {
    this.#target = target;
  }

  static async open(targetPort: number): Promise<DeafProxy> {
    const proxy = new DeafProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection and takes no new one. */
  cut(): void {
    this.#refusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#refusing = this.muteServer = this.muteClient = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    this.#pipe(client, server, () => this.muteClient);
    this.#pipe(server, client, () => this.muteServer);
  }

  #pipe(from: Socket, to: Socket, muted: () => boolean): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (!muted()) to.write(bytes);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
