/** The targets of the round-trip tests, and how events come back from them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectOptions, Delivery, EventProcessor } from '../../../src/index.ts';
import { connect } from '../../../src/index.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';

export type TargetName = 'embedded' | 'jetstream' | 'dedupe';
/** Without a nats-server only the embedded store is left; CI fails then. */
export const targetNames: readonly TargetName[] =
  requireServer('nats-server') === null ? ['embedded'] : ['embedded', 'jetstream', 'dedupe'];

/** A folder and, when first asked for, a server of this test file. */
export class Targets {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'millrace-targets-'));
  #server: Promise<TestServer> | null = null;
  readonly #config: string;

  constructor({ config = '' }: { readonly config?: string } = {}) {
    this.#config = config;
  }

  server(): Promise<TestServer> {
    this.#server ??= startNatsServer({ config: this.#config });
    return this.#server;
  }

  /** A place of its own for each name. */
  async url(target: TargetName, name: string): Promise<string> {
    if (target === 'embedded') return `embedded:${join(this.folder, name)}`;
    const { port } = await this.server();
    return `nats+${target}://127.0.0.1:${port}/${name.toUpperCase()}-${target.toUpperCase()}`;
  }

  /** Dead letters go to a folder beside, so that a test never writes where it was started. */
  async open(target: TargetName, name: string, options: ConnectOptions = {}): Promise<EventProcessor> {
    return connect(await this.url(target, name), { deadLetters: join(this.folder, `${name}-letters`), env: {}, workers: 1, ...options });
  }

  async end(): Promise<void> {
    if (this.#server !== null) await (await this.#server).stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Hands over every event from the start, until there were `count`; fails when no event comes for a while. */
export async function readAll(
  processor: EventProcessor,
  count: number,
  take: (delivery: Delivery) => void,
  { filter = '>', noAck = false }: { readonly filter?: string; readonly noAck?: boolean } = {},
): Promise<void> {
  const subscription = await processor.subscribe(filter, { start: 'all', noAck, maxInFlight: 2_000 });
  const deliveries = subscription[Symbol.asyncIterator]();
  let [left, seen] = [count, -1];
  const watch = setInterval(() => {
    if (left === seen) void subscription.close();
    seen = left;
  }, SILENCE_MS_MAX);
  try {
    while (left > 0) {
      const { done, value } = await deliveries.next();
      if (done === true) break;
      take(value);
      if (!noAck) value.ack();
      left -= 1;
    }
  } finally {
    clearInterval(watch);
    await subscription.close();
  }
  if (left > 0) throw new Error(`${left} of ${count} events did not come`);
}

const SILENCE_MS_MAX = 10_000;
