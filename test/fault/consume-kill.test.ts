/** B1 for readers: the server is killed with acks on the wire, forgets what it had delivered and delivers it again: no event is handled twice. */
import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'nats';
import type { Msg, NatsConnection } from 'nats';
import * as assert from 'uvu/assert';
import { timedSuite } from '../harness/timeout.ts';
import { waitFor } from '../harness/wait-for.ts';
import { hasServer, mainHandler, Rig, stopServer, workerHandler } from '../integration/inbound/rig.ts';
import type { Seen } from '../integration/inbound/fixtures/handler.ts';

const MESSAGES = 200;
const EVENTS = 5; // Of each.
const COUNT = MESSAGES * EVENTS;
const Killed = timedSuite('a server that is killed under readers', { timeoutMs: 60_000 });
Killed.after(stopServer);

const streamOf = (url: string): string => /IN\d+/.exec(url)![0];

/** What the durable has not settled; hears every ack that reaches the server. */
class Observer {
  readonly acked = new Set<number>();
  readonly #connection: NatsConnection;
  readonly #stream: string;

  private constructor(connection: NatsConnection, stream: string) {
    this.#connection = connection;
    this.#stream = stream;
    // $JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>…
    const callback = (_: unknown, { subject }: Msg): void => void this.acked.add(Number(subject.split('.')[5]));
    connection.subscribe(`$JS.ACK.${stream}.>`, { callback });
  }

  static async start(url: string): Promise<Observer> {
    const connection = await connect({ servers: Rig.server.url, reconnectTimeWait: 5, maxReconnectAttempts: -1 });
    return new Observer(connection, streamOf(url));
  }

  async open(): Promise<number> {
    const jsm = await this.#connection.jetstreamManager({ checkAPI: false });
    const { num_ack_pending: pending, num_pending: waiting } = await jsm.consumers.info(this.#stream, 'd');
    return pending + waiting;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

async function stateFile(folder: string, stream: string): Promise<string> {
  const files = await readdir(folder, { recursive: true });
  const found = files.filter((name) => name.endsWith(join(stream, 'obs', 'd', 'o.dat')));
  assert.is(found.length, 1);
  return join(folder, found[0]!);
}

/** Sequences of messages of which every event has ended. */
function doneIn(seen: readonly Seen[]): number[] {
  const ends = new Map<number, number>();
  for (const { n } of seen) if (n < 0) ends.set(-n % MESSAGES, (ends.get(-n % MESSAGES) ?? 0) + 1);
  const done = seen.filter(({ n }) => n > 0 && ends.get(n % MESSAGES) === EVENTS);
  return [...new Set(done.map(({ sequence }) => sequence))];
}

if (hasServer()) {
  for (const [place, forgets] of [
    ['main', false],
    ['main', true],
    ['workers', false],
    ['workers', true],
  ] as const)
    Killed(`handles each event once, ${place}, the server ${forgets ? 'has forgotten what it delivered' : 'remembers'}`, async () => {
      const rig = await Rig.start('jetstream');
      let observer: Observer | null = null;
      try {
        const processor = await rig.connect();
        const orders = Array.from({ length: COUNT }, (_, n) => ({
          n: n + 1,
          key: `k${n % MESSAGES}`,
          act: 'wait' as const,
          waitMs: n % 3,
        }));
        await rig.store(processor, orders);
        const handler = place === 'main' ? mainHandler : workerHandler;
        const options = { durable: 'd', ackWaitMs: 2_000, maxInFlight: 200, concurrency: 4 };
        const subscription = await processor.subscribe(rig.subject('>'), handler, options);
        observer = await Observer.start(rig.url);
        const ended = (): number => rig.numbers.filter((n) => n < 0).length;
        await waitFor('half', () => ended() >= COUNT / 2);
        await Rig.server.kill('SIGSTOP');
        const atStop = ended();
        await waitFor('messages that end, and whose acks nobody reads', () => ended() >= atStop + 8 * EVENTS);
        await Rig.server.kill('SIGKILL');
        const done = doneIn(rig.seen);
        // As after a power cut: what comes again is not marked as a redelivery.
        if (forgets) rmSync(await stateFile(Rig.server.storeDir, streamOf(rig.url)));
        observer.acked.clear();
        await Rig.server.restart();
        const { acked } = observer;
        await waitFor('all', () => ended() >= COUNT, 20_000);
        await waitFor('all acks', async () => (await observer!.open().catch(() => 1)) === 0, 20_000);
        await subscription.drain();
        assert.ok(
          done.some((sequence) => acked.has(sequence)),
          'some came again',
        );
        const numbers = rig.numbers.filter((n) => n > 0).toSorted((a, b) => a - b);
        assert.equal(
          numbers,
          orders.map(({ n }) => n),
        );
        assert.is(subscription.received, COUNT);
      } finally {
        await observer?.close();
        await rig.stop();
      }
    });
}

Killed.run();
