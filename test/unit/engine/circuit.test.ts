/** A broker that has room for nobody is asked by one batch at a time; when it takes that, everything goes, and nothing was lost meanwhile. */
import * as assert from 'uvu/assert';
import type { IngestReport } from '../../../src/api/report.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { OutboundMessage, PublishListener } from '../../../src/processors/broker.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import { closes, openOn } from './fault-run.ts';

const Circuits = timedSuite('circuit', { timeoutMs: 30_000 });

/** Refuses everything until it is told to heal, and counts what is on its way. */
class FullBroker extends FakeBroker {
  refusals = 0;
  heals = Number.POSITIVE_INFINITY;
  onItsWay = 0;
  #tell!: PublishListener;

  constructor() {
    super({ steps: [{ answer: 'later', turns: 1 }], inFlightMax: 6 });
  }

  override async open(listener: PublishListener): Promise<void> {
    const settles =
      <A extends unknown[]>(tell: (...values: A) => void): ((...values: A) => void) =>
      (...values) => {
        this.onItsWay -= 1;
        tell(...values);
      };
    this.#tell = {
      acked: settles((token, sequence, duplicate) => listener.acked(token, sequence, duplicate)),
      failed: settles((token, error) => listener.failed(token, error)),
      unknown: settles((token, error) => listener.unknown(token, error)),
      writable: () => listener.writable(),
      state: (state, reason) => (reason === undefined ? listener.state(state) : listener.state(state, reason)),
      warning: (message) => listener.warning(message),
    };
    await super.open(this.#tell);
  }

  override tryPublish(message: OutboundMessage, token: number): boolean {
    this.onItsWay += 1;
    if (this.refusals < this.heals) {
      this.refusals += 1;
      const taken = super.tryPublish(message, token);
      if (!taken) this.onItsWay -= 1;
      return taken;
    }
    const tell = this.#tell;
    this.stored.push({ subject: message.subject, messageId: null, events: Array.from({ length: message.count }, () => null), ids: [] });
    setImmediate(() => tell.acked(token, this.stored.length, false));
    return true;
  }
}

const TEXT = Array.from({ length: 400 }, (_, n) => `{"n":${n}}`).join('\n');
const ingest = (engine: Engine): Promise<IngestReport> =>
  within('ingest ends', 20_000, () => engine.ingest([Buffer.from(TEXT)] as never, { id: 'none', format: 'ndjson' }));
const SETTING = { batchEvents: 5, slabs: 4, backoff: 1, backoffMax: 4 };

Circuits('one batch at a time is tried while it is open, one warning, health tells, and all of it arrives', async () => {
  const broker = new FullBroker();
  broker.heals = 60;
  const engine = await openOn(broker, { ...SETTING, maxAttempts: 100 });
  const warnings: string[] = [];
  let refusing: string | null = null;
  engine.on('warning', (message) => {
    warnings.push(message);
    void engine.health().then(({ ok, reasons }) => (refusing = `${ok} ${reasons.join()}`));
  });
  let mostWhileOpen = 0;
  engine.on('retry', () => (mostWhileOpen = Math.max(mostWhileOpen, broker.refusals > 20 ? broker.onItsWay : 0)));
  const report = await ingest(engine);
  const healthy = await engine.health();
  await engine.close();
  closes(report);
  assert.ok(broker.refusals >= 60, 'the fault happened');
  assert.equal([report.acked, report.failed], [400, 0]);
  assert.equal(warnings.length, 1, warnings.join('\n'));
  assert.match(warnings[0]!, /takes nothing now: refused: later; one batch at a time/);
  assert.is(mostWhileOpen, 0, 'none beside the one that was refused');
  assert.match(String(refusing), /^false the broker takes nothing now/);
  assert.equal([healthy.ok, healthy.reasons], [true, []]);
});

Circuits('a broker that stays full: what waits shares the budget of the trials, and the ingest ends', async () => {
  const broker = new FullBroker();
  const engine = await openOn(broker, { ...SETTING, maxAttempts: 5 });
  const report = await ingest(engine);
  closes(report);
  assert.equal([report.acked, report.failed, report.unknown, report.inFlight], [0, 400, 0, 0]);
  assert.ok(broker.refusals < 200, `${broker.refusals} tries for 80 batches of at most 5 attempts`);
  await engine.close();
});

Circuits('the same in strict order', async () => {
  const broker = new FullBroker();
  const engine = await openOn(broker, { ...SETTING, maxAttempts: 5, ordering: 'strict' });
  const report = await ingest(engine);
  closes(report);
  assert.equal([report.acked, report.failed], [0, 400]);
  await engine.close();
});

Circuits('close while it is open settles everything', async () => {
  const broker = new FullBroker();
  const engine = await openOn(broker, { ...SETTING, maxAttempts: 1_000, backoff: 1_000, backoffMax: 60_000 });
  const warned = new Promise((resolve) => engine.on('warning', resolve));
  const ended = ingest(engine).catch((error: unknown) => error as { readonly code: string; readonly context: { report: IngestReport } });
  await within('it opens', 10_000, () => warned);
  await engine.close();
  const error = (await ended) as { readonly code: string; readonly context: { report: IngestReport } };
  assert.is(error.code, 'MILLRACE_CLOSED');
  closes(error.context.report);
  assert.is(error.context.report.inFlight, 0);
});

Circuits.run();
