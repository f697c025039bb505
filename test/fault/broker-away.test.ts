/** B7, B8, B14, B16: the broker is silent, half silent, without its stream for a while, or leaves with notice: the ingest waits, and nothing is lost or stored twice. */
import { connect as connectNats } from 'nats';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.ts';
import type { ConnectOptions, EventProcessor, IngestReport, MillraceError } from '../../src/index.ts';
import { startNatsServer } from '../harness/nats-server.ts';
import type { TestServer } from '../harness/nats-server.ts';
import { requireServer } from '../harness/resolve-server.ts';
import { timedSuite } from '../harness/timeout.ts';
import { waitFor } from '../harness/wait-for.ts';
import { DeafProxy } from '../integration/recovery/deaf-proxy.ts';
import { judgeStore } from './store-judge.ts';

const COUNT = 20_000;
const FIRST = COUNT / 2;
const PING = '400ms';
const Away = timedSuite('a broker that is away', { timeoutMs: 60_000 });
const lines = Array.from({ length: COUNT }, (_, n) => `{"id":"e-${n}","k":${n % 5}}`);

/** Everything that is open, closed after each test, also one that failed. */
const open: (() => Promise<unknown>)[] = [];
Away.after.each(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

class Scene {
  readonly server: TestServer;
  readonly proxy: DeafProxy;
  readonly processor: EventProcessor;
  readonly states: string[] = [];
  retries = 0;
  #limit = FIRST;

  private constructor(server: TestServer, proxy: DeafProxy, processor: EventProcessor) {
    this.server = server;
    this.proxy = proxy;
    this.processor = processor;
    processor.on('state', (name) => this.states.push(name));
    processor.on('retry', () => void (this.retries += 1));
  }

  static async open(options: ConnectOptions = {}, config = ''): Promise<Scene> {
    const server = await startNatsServer({ config });
    open.push(() => server.stop());
    const proxy = await DeafProxy.open(server.port);
    open.push(() => proxy.close());
    const processor = await connect(`nats+jetstream://${proxy.address}/AWAY?subjects=away.>`, {
      workers: 1,
      deadLetters: 'off',
      batchBytes: '2KiB',
      maxInFlightBytes: '64KiB',
      publishTimeout: '10s',
      pingInterval: PING,
      env: {},
      ...options,
    });
    open.push(() => processor.close());
    return new Scene(server, proxy, processor);
  }

  /** Half of the source is read before the fault, the rest is there from then on. */
  async ingest(fault: () => Promise<void>): Promise<IngestReport> {
    const ingesting = this.processor.ingest(this.#source() as AsyncIterable<Uint8Array>, { subject: 'away.{k}', id: '/id' });
    await waitFor('the first half', () => this.processor.stats().acked >= FIRST / 2);
    await fault();
    const report = await ingesting;
    assert.equal([report.accepted, report.acked, report.failed, report.inFlight], [COUNT, COUNT, 0, 0]);
    return report;
  }

  release(): void {
    this.#limit = COUNT;
  }

  async reconnecting(): Promise<void> {
    await waitFor('it is noticed', () => this.states.includes('reconnecting'));
  }

  async storedOnce(): Promise<void> {
    await waitFor('the connection', async () => (await this.processor.health()).ok);
    const { missing, extra, twice } = await judgeStore(this.processor, lines);
    assert.equal({ missing, extra, twice }, { missing: [], extra: [], twice: [] });
  }

  async *#source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < COUNT; at += 200) {
      await waitFor('the gate', () => at < this.#limit, 40_000);
      yield Buffer.from(`${lines.slice(at, at + 200).join('\n')}\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const silences = [
  { name: 'B7: nothing arrives in either direction', muteServer: true, muteClient: true },
  { name: 'B8: what the server says is lost', muteServer: true, muteClient: false },
];

if (requireServer('nats-server') !== null) {
  for (const { name, muteServer, muteClient } of silences)
    Away(name, async () => {
      const scene = await Scene.open();
      await scene.ingest(async () => {
        Object.assign(scene.proxy, { muteServer, muteClient });
        scene.release();
        await waitFor('work in flight', () => scene.processor.stats().inFlight > 0);
        await scene.reconnecting(); // By the pings that nobody answers: the connection itself is whole.
        scene.proxy.cut(); // Of those tried meanwhile none is half heard.
        scene.proxy.heal();
      });
      await scene.storedOnce();
    });

  Away('B14: the stream is deleted, and made again', async () => {
    const scene = await Scene.open({ maxAttempts: 100, backoffMax: '200ms' });
    const outside = await connectNats({ servers: scene.server.url });
    open.push(() => outside.close());
    const jsm = await outside.jetstreamManager();
    let before = 0;
    await scene.ingest(async () => {
      const { config } = await jsm.streams.info('AWAY');
      await jsm.streams.delete('AWAY');
      scene.release();
      await waitFor('retries', () => scene.retries > 10);
      before = scene.processor.stats().acked; // Answers come in order: those of the old stream are all here.
      await jsm.streams.add(config);
    });
    const { extra, twice } = await judgeStore(scene.processor, lines);
    assert.equal({ extra, twice }, { extra: [], twice: [] });
    let stored = 0;
    for await (const _ of scene.processor.replay({ subject: '>' })) stored += 1;
    assert.is(stored, COUNT - before, 'all but what the old stream held');
  });

  Away('B14: the stream is deleted for good', async () => {
    const scene = await Scene.open({ maxAttempts: 2, backoff: '1ms' });
    const outside = await connectNats({ servers: scene.server.url });
    open.push(() => outside.close());
    await scene.processor.publish('away.0', { n: 0 });
    await (await outside.jetstreamManager()).streams.delete('AWAY');
    const error = await scene.processor.publish('away.0', { n: 1 }).then(
      () => null,
      (thrown: MillraceError) => thrown,
    );
    assert.equal([error?.code, error?.outcome], ['MILLRACE_STREAM_MISSING', 'failed']);
  });

  Away('B16: lame duck, and the next server on the same store', async () => {
    const scene = await Scene.open({}, 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n');
    await scene.ingest(async () => {
      const { pid } = scene.server;
      await scene.server.kill('SIGUSR2');
      scene.release();
      await waitFor('its end', () => hasEnded(pid), 20_000);
      await scene.server.restart();
    });
    assert.match(scene.server.log, /lame duck/i);
    assert.ok(scene.states.includes('reconnecting'));
    await scene.storedOnce();
  });
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

Away.run();
