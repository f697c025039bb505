/** B1, B9, B11: the server is killed, stopped or restarted in the middle of an ingest: it waits, reconnects, resends; every event is stored once. */
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.ts';
import type { ConnectOptions, EventProcessor, IngestReport } from '../../src/index.ts';
import { startNatsServer } from '../harness/nats-server.ts';
import type { TestServer } from '../harness/nats-server.ts';
import { requireServer } from '../harness/resolve-server.ts';
import { timedSuite } from '../harness/timeout.ts';
import { waitFor } from '../harness/wait-for.ts';
import { judgeStore } from './store-judge.ts';

const COUNT = 60_000;
const SUBJECTS = 7;
/** Read before the first fault. */
const FIRST = COUNT / 3;
const Kill = timedSuite('a server that is killed', { timeoutMs: 60_000 });
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000);
process.stdout.write(`seed ${seed}\n`);
let state = seed;
/** A small generator: a failure prints its seed, and MILLRACE_SEED runs the same schedule. */
const random = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

const lines = Array.from({ length: COUNT }, (_, n) => `{"id":"e-${n}","k":${n % SUBJECTS},"pad":"${'p'.repeat(n % 97)}"}`);

/** How far the source may be read: a fault meets work in flight, and never comes after the end. */
class Gate {
  limit: number;
  constructor(limit: number) {
    this.limit = limit;
  }

  async *source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < COUNT; at += 500) {
      await waitFor('the gate', () => at < this.limit, 40_000);
      yield Buffer.from(`${lines.slice(at, at + 500).join('\n')}\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** What a fault sees of the ingest. */
interface Scene {
  readonly gate: Gate;
  readonly acked: () => number;
  readonly inFlight: () => number;
}

interface Faulted {
  readonly report: IngestReport;
  readonly reconnects: number;
  readonly processor: EventProcessor;
}

/** Closed after each test, also one that failed: its sockets would keep the file from ending. */
let open: EventProcessor | null = null;
Kill.after.each(async () => {
  await open?.close();
  open = null;
});

async function ingestWith(
  server: TestServer,
  target: string,
  fault: (scene: Scene) => Promise<void>,
  options: ConnectOptions = {},
): Promise<Faulted> {
  const processor = await connect(`nats+${target}://127.0.0.1:${server.port}/FAULTS`, {
    workers: 1,
    deadLetters: 'off',
    batchBytes: '8KiB',
    maxInFlightBytes: '256KiB',
    publishTimeout: '2s',
    env: {},
    ...options,
  });
  let reconnects = 0;
  processor.on('state', (name) => void (reconnects += name === 'reconnecting' ? 1 : 0));
  const gate = new Gate(FIRST);
  const ingesting = processor.ingest(gate.source() as AsyncIterable<Uint8Array>, { subject: 'faults.{k}', id: '/id' });
  open = processor;
  const [report] = await Promise.all([
    ingesting,
    fault({ gate, acked: () => processor.stats().acked, inFlight: () => processor.stats().inFlight }),
  ]);
  return { report, reconnects, processor };
}

async function storedOnce({ report, processor }: Faulted, { ordered = true } = {}): Promise<void> {
  assert.equal([report.accepted, report.acked, report.failed, report.inFlight], [COUNT, COUNT, 0, 0]);
  // The last fault may have come after the last ack.
  await waitFor('the connection', async () => (await processor.health()).ok);
  const verdict = await judgeStore(processor, lines);
  assert.equal(
    { ...verdict, disordered: ordered ? verdict.disordered : [] },
    { missing: [], extra: [], twice: [], disordered: [] },
    `seed ${seed}`,
  );
}

if (requireServer('nats-server') !== null) {
  for (const target of ['jetstream', 'dedupe'])
    Kill(`SIGKILL and restart, three times, ${target}`, async () => {
      const server = await startNatsServer();
      try {
        const faulted = await ingestWith(server, target, async ({ gate, acked, inFlight }) => {
          for (let kill = 1; kill <= 3; kill += 1) {
            const point = gate.limit - 2_000 - random(5_000);
            await waitFor(`${point} acked`, () => acked() >= point, 30_000);
            // Stopped first, it surely leaves messages without an answer; killed at once, perhaps stored ones without theirs.
            if (kill !== 2) await server.kill('SIGSTOP');
            gate.limit = kill === 3 ? COUNT : gate.limit + 10_000;
            if (kill !== 2) await waitFor('messages in flight', () => inFlight() > 0);
            await server.kill('SIGKILL');
            await server.restart();
          }
        });
        assert.ok(faulted.reconnects >= 1, 'the fault happened');
        assert.ok(faulted.report.retries > 0, 'something was in flight');
        await storedOnce(faulted);
      } finally {
        await server.stop();
      }
    });

  Kill('SIGSTOP for longer than the publish timeout, then SIGCONT', async () => {
    const server = await startNatsServer();
    try {
      const faulted = await ingestWith(server, 'jetstream', async ({ gate, acked, inFlight }) => {
        await waitFor('some acks', () => acked() >= FIRST - 5_000, 30_000);
        await server.kill('SIGSTOP');
        gate.limit = COUNT;
        await waitFor('messages in flight', () => inFlight() > 0);
        const [before, end] = [acked(), performance.now() + 5_000];
        await waitFor('five seconds of silence', () => performance.now() > end, 10_000);
        assert.ok(acked() - before < COUNT / 4, 'it stood still');
        await server.kill('SIGCONT');
      });
      await storedOnce(faulted, { ordered: false }); // A timeout is resent while later ones are on their way.
    } finally {
      await server.stop();
    }
  });

  Kill('max_payload is smaller after the restart: batches are split, each event is stored once', async () => {
    const server = await startNatsServer();
    try {
      const faulted = await ingestWith(
        server,
        'jetstream',
        async ({ gate, acked, inFlight }) => {
          await waitFor('some acks', () => acked() >= FIRST - 5_000, 30_000);
          await server.kill('SIGSTOP');
          gate.limit = COUNT;
          await waitFor('messages in flight', () => inFlight() > 0);
          await server.restart({ config: 'max_payload: 16384\n' });
        },
        { batchBytes: '64KiB', maxInFlightBytes: '1MiB' },
      );
      assert.ok(faulted.reconnects >= 1, 'the fault happened');
      await storedOnce(faulted, { ordered: false });
    } finally {
      await server.stop();
    }
  });
}

Kill.run();
