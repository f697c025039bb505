/** NATS Streaming, giving up: when a session is not to be restored everybody is told, and a durable that is in use is refused with a way out. */
import * as assert from 'uvu/assert';
import { createStreamingBroker } from '../../../src/processors/streaming/broker.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import type { StanServer } from '../../harness/stan-server.ts';
import { STAN_CLUSTER, startStanServer } from '../../harness/stan-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Collector, request } from '../collect.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, RecordingListener } from '../nats/outbound.ts';

const GivingUpSuite = timedSuite('streaming giving up', { timeoutMs: 30_000 });

let server: StanServer;

async function connected(changes: Parameters<typeof testOptions>[0] = {}): Promise<readonly [Broker, RecordingListener]> {
  const made = createStreamingBroker(testOptions({ kind: 'streaming', servers: [server.address], stream: STAN_CLUSTER, ...changes }));
  const listening = new RecordingListener();
  await made.open(listening);
  return [made, listening];
}

GivingUpSuite.before(async () => {
  server = await startStanServer();
});

GivingUpSuite.after(async () => {
  await server.stop();
});

const endings = [
  { name: 'reconnect is off', changes: { reconnect: false } },
  { name: 'reconnectTimeout is over', changes: { reconnectTimeoutMs: 500 } },
] as const;
for (const { name, changes } of endings)
  GivingUpSuite(`tells publisher and reader when ${name}`, async () => {
    const [own, heard] = await connected(changes);
    const collector = new Collector();
    await own.consume(request({ filter: 'end' }), collector);
    await server.kill();
    await waitFor('both to be told', () => heard.states.at(-1) === 'closed' && collector.endings.length === 1, 15_000);
    assert.is(heard.reasons.at(-1)?.code, 'MILLRACE_CONNECTION_LOST');
    assert.is(collector.endings[0]?.code, 'MILLRACE_CONNECTION_LOST');
    assert.not.ok(own.tryPublish(outboundOf('end', 'x'), 1));
    await own.close();
    await server.restart();
  });

GivingUpSuite('refuses a durable that is in use, says how to share it, and gives it to the next when it is free', async () => {
  const [first] = await connected();
  const [second] = await connected();
  const asked = request({ filter: 'used', durable: 'one', start: { kind: 'all' } });
  const reader = await first.consume(asked, new Collector());
  const error = await second.consume(asked, new Collector()).then(
    () => null,
    (thrown: { code: string; message: string }) => thrown,
  );
  assert.match(`${error?.code}: ${error?.message}`, /^MILLRACE_CONNECT: .*in use.*queue/);
  await reader.close();
  await (await second.consume(asked, new Collector())).close();
  await Promise.all([first.close(), second.close()]);
});

if (requireServer('nats-streaming-server') !== null) GivingUpSuite.run();
