/** A place to read from, of either kind, with what a test of reading needs: orders in, what was seen and what was given up out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Handler, WorkerHandler } from '../../../src/api/event.ts';
import type { EventProcessor } from '../../../src/api/processor.ts';
import { connect } from '../../../src/index.ts';
import type { DeadLetter } from '../../../src/resilience/dead-letter-types.ts';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Order, Seen } from './fixtures/handler.ts';
import { handle, seenIn } from './fixtures/handler.ts';

export const workerHandler: WorkerHandler = { module: new URL('fixtures/handler.js', import.meta.url), export: 'handle' };
export const mainHandler: Handler = handle as Handler;
export const handlerFile: string = fileURLToPath(workerHandler.module as URL);

export type RigKind = 'embedded' | 'jetstream' | 'kafka';

let server: TestServer | null = null;
let kafka: KafkaServer | null = null;
let number = 0;

export class Rig {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'millrace-inbound-'));
  readonly log: string = join(this.folder, 'seen.ndjson');
  readonly letters: string = join(this.folder, 'letters');
  readonly url: string;
  readonly #open: EventProcessor[] = [];

  private constructor(url: string | null) {
    this.url = url ?? `embedded:${join(this.folder, 'store')}`;
  }

  /** `jetstream`, `kafka` = a stream or topic of its own on one real server for the whole file. */
  static async start(kind: RigKind): Promise<Rig> {
    if (kind === 'embedded') return new Rig(null);
    number += 1;
    if (kind === 'kafka') {
      kafka ??= await startKafka();
      return new Rig(`kafka://${kafka.address}/in${number}`);
    }
    server ??= await startNatsServer();
    return new Rig(`${server.url.replace('nats:', 'nats+jetstream:')}/IN${number}?subjects=s${number},s${number}.>`);
  }

  static get server(): TestServer {
    return server!;
  }

  /** Subjects of this rig: streams of one server may not overlap. */
  subject(name: string): string {
    const own = /subjects=(s\d+),/.exec(this.url)?.[1];
    return own === undefined ? name : `${own}.${name}`;
  }

  async connect(options: Parameters<typeof connect>[1] = {}): Promise<EventProcessor> {
    const processor = await connect(this.url, { workers: 1, deadLetters: this.letters, workerTimeout: 1_000, ...options });
    this.#open.push(processor);
    return processor;
  }

  /** Stored as one batch message for each subject. */
  async store(
    processor: EventProcessor,
    orders: readonly (Omit<Order, 'log'> & { readonly key?: string })[],
    subject: string = this.subject('{key}'),
  ): Promise<void> {
    const file = join(this.folder, 'orders.ndjson');
    writeFileSync(file, orders.map((order) => `${JSON.stringify({ key: 'a', log: this.log, ...order })}\n`).join(''));
    const report = await processor.ingest(file, { subject, framing: 'batch', id: 'none' });
    if (report.acked !== orders.length) throw new Error(`acked ${report.acked} of ${orders.length}`);
  }

  get seen(): Seen[] {
    return seenIn(this.log);
  }

  /** Numbers handed over, in order. */
  get numbers(): number[] {
    return this.seen.map(({ n }) => n);
  }

  async sees(count: number): Promise<number[]> {
    return waitFor(`${count} deliveries`, () => (this.numbers.length >= count ? this.numbers : null));
  }

  async deadLetters(count: number): Promise<DeadLetter[]> {
    const store = await DeadLetterStore.open(this.letters);
    return waitFor(`${count} dead letters`, async () => {
      const letters: DeadLetter[] = [];
      for await (const letter of store.list()) letters.push(letter);
      return letters.length >= count ? letters : null;
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#open.map((processor) => processor.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function hasServer(kind: RigKind = 'jetstream'): boolean {
  return kind === 'embedded' || requireServer(kind === 'kafka' ? 'kafka' : 'nats-server') !== null;
}

export async function stopServer(): Promise<void> {
  await server?.stop();
  await kafka?.stop();
}
