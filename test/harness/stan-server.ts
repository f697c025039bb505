/** A real nats-streaming-server of this test only, with a file store of its own and as many channels as asked for. */
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { requireServer } from './resolve-server.ts';
import { SpawnedServer } from './spawned-server.ts';

export const STAN_CLUSTER = 'test-cluster';
const START_MS_MAX = 20_000;

export class StanServer extends SpawnedServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly port: number;

  constructor(binary: string, port: number, args: readonly string[]) {
    super({
      name: 'nats-streaming-server',
      command: binary,
      args: (folder) => [
        '-a',
        '127.0.0.1',
        '-p',
        String(port),
        '-cid',
        STAN_CLUSTER,
        '-store',
        'file',
        '-dir',
        join(folder, 'store'),
        '-mc',
        '0',
        ...args,
      ],
      ready: /Streaming Server is ready/,
      startMsMax: START_MS_MAX,
    });
    this.port = port;
    this.address = `127.0.0.1:${port}`;
  }
}

/** `args` come last, so they win over the defaults: unlimited channels, file store. */
export async function startStanServer({ args = [] }: { readonly args?: readonly string[] } = {}): Promise<StanServer> {
  const binary = requireServer('nats-streaming-server');
  if (binary === null) throw new Error('call requireServer before startStanServer');
  const server = new StanServer(binary, await freePort(), args);
  await server.restart();
  return server;
}
