/** Kafka's own console tools, from the server's jars: they read our records with key and headers, and we read theirs. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startKafka } from '../../harness/kafka-server.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { open, readEvents, run } from './foreign.ts';

const InteropSuite = timedSuite('interop: kafka console tools', { timeoutMs: 60_000 });
const jars = requireServer('kafka');
let server: KafkaServer;

const tool = (main: string, args: readonly string[], input?: string): Promise<Buffer> =>
  run(
    'java',
    ['-Xmx256m', '-cp', join(jars!, '*'), `org.apache.kafka.tools.${main}`, '--bootstrap-server', server.address, ...args],
    input === undefined ? {} : { input },
  );
const consumed = (topic: string, count: number): Promise<Buffer> => {
  const printed = ['print.key=true', 'print.headers=true', 'print.offset=true'].flatMap((property) => ['--property', property]);
  return tool('consumer.ConsoleConsumer', ['--topic', topic, '--from-beginning', '--max-messages', String(count), ...printed]);
};

InteropSuite.before(async () => void (server = await startKafka()));
InteropSuite.after(() => server.stop());

InteropSuite('the console consumer reads our records: key, headers, offset and bytes', async () => {
  await using ours = await open(`kafka://${server.address}/ours`);
  await ours.publish('ours.a', 'plain text', { headers: { Region: 'eu' } });
  await ours.publish('ours.b', { n: 1 }, { key: 'customer-7' });
  const [first, second] = (await consumed('ours', 2)).toString('latin1').split('\n');
  const fields = first!.split('\t');
  assert.ok(fields.includes('Offset:0') && fields.includes('ours.a'), first);
  assert.match(first!, 'Content-Type:application/msgpack');
  assert.match(first!, 'Millrace-Subject:ours.a');
  assert.match(first!, 'Region:eu');
  assert.ok(first!.endsWith('\xaaplain text'), first); // fixstr of 10 bytes.
  assert.ok(second!.split('\t').includes('customer-7') && second!.endsWith('\x81\xa1n\x01'), second);
});

InteropSuite('what the console producer writes is read by us', async () => {
  await using ours = await open(`kafka://${server.address}/theirs`);
  await ours.publish('theirs', 'makes the topic');
  const properties = ['parse.key=true', 'parse.headers=true', 'headers.delimiter=|', 'key.separator=#'].flatMap((property) => [
    '--property',
    property,
  ]);
  const lines = [
    'Content-Type:application/json,Trace:t1|k1#{"n":1}',
    'Millrace-Subject:theirs.named|k2#{"n":2}',
    'Trace:t3|k3#plain words',
  ];
  await tool('ConsoleProducer', ['--topic', 'theirs', ...properties], `${lines.join('\n')}\n`);
  const seen = (await readEvents(ours, '>', 4)).slice(1);
  assert.equal(
    seen.map(({ event }) => event),
    [{ n: 1 }, { n: 2 }, 'plain words'],
  );
  assert.equal(
    seen.map(({ headers }) => headers['Trace']),
    ['t1', undefined, 't3'],
  );
  assert.is(seen[1]!.subject, 'theirs.named');
});

if (jars !== null) InteropSuite.run();
