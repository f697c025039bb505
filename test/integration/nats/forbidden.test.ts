/** JetStream, a subject that the user may not publish to: what was sent to it has failed, its credit is back, and whoever waited for that is woken. */
import * as assert from 'uvu/assert';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { testOptions } from './options.ts';
import { outboundOf, publishOne, RecordingListener } from './outbound.ts';

const Forbidden = timedSuite('JetStream forbidden subject');
const IN_FLIGHT = 4;
const HEADERS = { 'Nats-Msg-Id': 'id' }; // By the multiplexer, not by fast ingest.

Forbidden('gives its credit back, also when nothing else is in flight', async () => {
  const server = await startNatsServer({
    config: 'authorization { users: [{ user: a, password: p, permissions: { publish: { deny: ["ev.no"] } } }] }',
  });
  const servers = [`127.0.0.1:${server.port}`];
  const broker = createJetStreamBroker(testOptions({ servers, user: 'a', password: 'p', kind: 'dedupe', maxInFlightMessages: IN_FLIGHT }));
  const listener = new RecordingListener();
  let woken = 0;
  listener.onWritable = () => void (woken += 1);
  try {
    await broker.open(listener);
    await broker.prepare(['ev.no', 'ev.yes']);
    for (let token = 0; token < IN_FLIGHT; token++) assert.ok(broker.tryPublish(outboundOf('ev.no', 'x', HEADERS), token));
    assert.not.ok(broker.tryPublish(outboundOf('ev.yes', 'y', HEADERS), IN_FLIGHT));
    await waitFor('the writer to be woken', () => woken > 0);
    for (let token = 0; token < IN_FLIGHT; token++) {
      const outcome = listener.outcomes.get(token);
      assert.ok(outcome?.kind === 'failed' && outcome.error.code === 'MILLRACE_AUTH', String(token));
    }
    assert.is((await publishOne(broker, listener, outboundOf('ev.yes', 'z', HEADERS))).kind, 'acked');
    assert.equal(listener.twice, []);
  } finally {
    await broker.close();
    await server.stop();
  }
});

if (requireServer('nats-server') !== null) Forbidden.run();
