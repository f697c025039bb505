/** A real nats-server of this test only: own port, own store, ended by its process id when the test ends or dies. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from './end-with-us.ts';
import { freePort } from './free-port.ts';
import { requireServer } from './resolve-server.ts';
import { waitFor } from './wait-for.ts';

export interface NatsServerOptions {
  /** Text of a configuration file, beside port and store, which are set by the command line. */
  readonly config?: string;
  readonly args?: readonly string[];
  /** Default: a temp folder, removed by `stop`. */
  readonly storeDir?: string;
  readonly port?: number;
  /** Default true. */
  readonly jetstream?: boolean;
}

export interface TestServer {
  /** `nats://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  /** Everything the server wrote to stderr. */
  readonly log: string;
  /** Resolves when the process has ended (at once for signals that do not end it). */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, and starts it again on the same store and port; `config` replaces the configuration. */
  restart(options?: { readonly config?: string }): Promise<void>;
  /** Ends it and removes its data. Idempotent. */
  stop(): Promise<void>;
}

const START_MS_MAX = 20_000;
export async function startNatsServer(options: NatsServerOptions = {}): Promise<TestServer> {
  const binary = requireServer('nats-server');
  if (binary === null) throw new Error('call requireServer before startNatsServer');
  const server = new NatsServer(binary, options, options.port ?? (await freePort()));
  await server.restart();
  return server;
}

class NatsServer implements TestServer {
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  readonly #binary: string;
  readonly #options: NatsServerOptions;
  readonly #folder: string;
  #config: string;
  #child: ChildProcess | null = null;
  #log = '';

  constructor(binary: string, options: NatsServerOptions, port: number) {
    this.#binary = binary;
    this.#options = options;
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'millrace-nats-'));
    this.storeDir = options.storeDir ?? join(this.#folder, 'store');
    this.#config = options.config ?? '';
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  async restart({ config }: { readonly config?: string } = {}): Promise<void> {
    await this.kill('SIGKILL');
    if (config !== undefined) this.#config = config;
    const file = join(this.#folder, 'server.conf');
    writeFileSync(file, this.#config);
    const args = ['-a', '127.0.0.1', '-p', String(this.port), '-c', file, ...(this.#options.args ?? [])];
    if (this.#options.jetstream ?? true) args.push('-js', '-sd', this.storeDir);
    const child = spawn(this.#binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    endWithUs(child, this.#folder);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    await waitFor(`nats-server on port ${this.port}`, () => this.#answers(child), START_MS_MAX);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ends = signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT';
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    if (ends) await ended;
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The client port opens after the store has been recovered, so the first INFO says that JetStream is ready too. */
  async #answers(child: ChildProcess): Promise<boolean> {
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}: ${this.#log.slice(-500)}`);
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('data', () => resolve(true)).once('error', () => resolve(false));
      socket.once('data', () => socket.destroy());
    });
  }
}
