/** A disconnect longer than the broker's duplicate window: what was stored without an ack is found and acked, the rest is sent, nothing twice. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Receipt } from '../../src/index.ts';
import { Engine } from '../../src/engine/engine.ts';
import { startNatsServer } from '../harness/nats-server.ts';
import type { TestServer } from '../harness/nats-server.ts';
import { requireServer } from '../harness/resolve-server.ts';
import { waitFor } from '../harness/wait-for.ts';
import { testOptions } from '../integration/nats/options.ts';
import { DeafProxy } from '../integration/recovery/deaf-proxy.ts';
import { messagesIn, notOnce, storedEvents } from '../integration/recovery/stored-events.ts';

const WINDOW_MS = 1_000;
const STORED = 30;
const LOST = 20;
const Suite = suite('batches in doubt');
let server: TestServer;

const cases = [
  { name: 'jetstream, no ids', kind: 'jetstream', ids: false, framing: 'each', connections: 1 },
  { name: 'jetstream, in batches over two connections', kind: 'jetstream', ids: false, framing: 'batch', connections: 2 },
  { name: 'dedupe, ids', kind: 'dedupe', ids: true, framing: 'each', connections: 1 },
  { name: 'dedupe, ids in batches', kind: 'dedupe', ids: true, framing: 'batch', connections: 1 },
] as const;

if (requireServer('nats-server') !== null) {
  Suite.before(async () => {
    server = await startNatsServer();
  });
  Suite.after(() => server.stop());

  for (const [index, { name, kind, ids, framing, connections }] of cases.entries()) {
    Suite(`are looked up before they are sent again: ${name}`, async () => {
      const proxy = await DeafProxy.open(server.port);
      const stream = `DOUBT${index}`;
      const options = testOptions({
        kind,
        stream,
        servers: [proxy.address],
        subjects: [`doubt${index}`, `doubt${index}.>`],
        connections,
        framing,
        dedupeWindowMs: WINDOW_MS,
        maxAttempts: 3,
        url: stream,
      });
      const engine = await Engine.open(options);
      const publish = (n: number): Promise<Receipt> => engine.publish(`doubt${index}.${n % 3}`, { n }, ids ? { id: `id-${n}` } : {});
      await publish(0);
      const before = await messagesIn(server.url, stream);
      proxy.muteServer = true;
      const stored = Array.from({ length: STORED }, (_, n) => publish(1 + n));
      const inStream = await waitFor('what was sent is stored', async () => {
        const messages = await messagesIn(server.url, stream);
        return messages >= before + (framing === 'each' ? STORED : 1) && messages;
      });
      const storedAtMs = performance.now();
      proxy.muteClient = true;
      const lost = Array.from({ length: LOST }, (_, n) => publish(1 + STORED + n));
      proxy.cut();
      await waitFor('the window has passed', () => performance.now() - storedAtMs > WINDOW_MS * 1.5);
      proxy.heal();
      const receipts = await Promise.all([...stored, ...lost]);
      assert.ok(
        receipts.every(({ duplicate }) => !duplicate),
        'our own resend is no duplicate',
      );
      assert.ok(inStream > before);
      const { acked, duplicates, failed } = engine.stats();
      assert.equal({ acked, duplicates, failed }, { acked: 1 + STORED + LOST, duplicates: 0, failed: 0 });
      await engine.close();
      await proxy.close();
      assert.is(notOnce(await storedEvents(server.url, stream), 1 + STORED + LOST), '');
    });
  }
}

Suite.run();
