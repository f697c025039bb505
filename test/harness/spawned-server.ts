/** A server process of this test only: ended by its process id when the test ends or dies, started again on the same store. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

export interface SpawnedServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: (folder: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its output says when it serves, or a question to ask it. */
  readonly ready: RegExp | (() => Promise<boolean>);
  readonly startMsMax: number;
}

const running = new Set<ChildProcess>();
// `exit` handlers are synchronous: the only place from which a child surely ends with a test that throws or is killed by its runner.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class SpawnedServer {
  /** Its data; removed by `stop`. */
  readonly folder: string;
  readonly #options: SpawnedServerOptions;
  #child: ChildProcess | null = null;
  #log = '';

  constructor(options: SpawnedServerOptions) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), `millrace-${options.name}-`));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Everything the running process wrote. */
  get log(): string {
    return this.#log;
  }

  /** Ends it if it runs, and starts it again on the same store. */
  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    const { name, command, args, env, ready, startMsMax } = this.#options;
    this.#log = '';
    const child = spawn(command, args(this.folder), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    const keep = (text: string): void => void (this.#log += text);
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    await waitFor(
      name,
      () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`${name} ended with ${child.exitCode}: ${this.#log.slice(-800)}`);
        return ready instanceof RegExp ? ready.test(this.#log) : ready();
      },
      startMsMax,
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ends = signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT';
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    if (ends) await ended;
  }

  /** Ends it and removes its data. Idempotent. */
  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
