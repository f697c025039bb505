/** Kafka, logging in: the best mechanism the broker offers is found, wrong passwords are told as such, and never printed. */
import * as assert from 'uvu/assert';
import { createKafkaBroker } from '../../../src/processors/kafka/broker.ts';
import { startKafka } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { testOptions } from '../nats/options.ts';
import { outboundOf, publishOne, RecordingListener } from '../nats/outbound.ts';

const KafkaLoginSuite = timedSuite('kafka login', { timeoutMs: 60_000 });

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256'] as const)
  KafkaLoginSuite(`logs in by ${mechanism}`, async () => {
    const server = await startKafka({ login: { user: 'ann', password: 's3cret', mechanism } });
    try {
      const options = { kind: 'kafka', servers: [server.address], stream: 'private', user: 'ann' } as const;
      const broker = createKafkaBroker(testOptions({ ...options, password: 's3cret' }));
      const listener = new RecordingListener();
      await broker.open(listener);
      await broker.prepare([]);
      assert.is((await publishOne(broker, listener, outboundOf('p', 'x'))).kind, 'acked');
      await broker.close();
      for (const changes of [{ password: 'wr0ng-one' }, { user: '', password: '' }]) {
        const wrong = createKafkaBroker(testOptions({ ...options, ...changes, connectTimeoutMs: 4_000 }));
        const error = await wrong.open(new RecordingListener()).then(
          () => null,
          (thrown: { code: string; message: string }) => thrown,
        );
        assert.ok(error !== null);
        // Without a login the broker hangs up, and does not say why.
        if (changes.password !== '') assert.is(error.code, 'MILLRACE_AUTH');
        assert.not.match(error.message, /wr0ng-one/);
      }
    } finally {
      await server.stop();
    }
  });

if (requireServer('kafka') !== null) KafkaLoginSuite.run();
