/** Kafka's own tools, from the server's jars: they read our records and batches, write what we read, and find keys and codecs where Java puts them. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startKafka } from '../../harness/kafka-server.ts';
import type { KafkaServer } from '../../harness/kafka-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { eventsOf, ndjson, open, readEvents, run } from './foreign.ts';

const InteropSuite = timedSuite('interop: kafka console tools', { timeoutMs: 60_000 });
const jars = requireServer('kafka');
let server: KafkaServer;

const java = (main: string, args: readonly string[]): Promise<Buffer> => run('java', ['-Xmx256m', '-cp', join(jars!, '*'), main, ...args]);
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

InteropSuite('the console consumer reads our batches: one msgpack array, with its count', async () => {
  await using ours = await open(`kafka://${server.address}/batches`);
  const records = Array.from({ length: 20 }, (_, n) => ({ n: n + 100, text: 'größe' })); // No byte of it is a tab.
  const report = await ours.ingest(ndjson(records), { subject: 'batches.b', format: 'ndjson', id: '/n' });
  assert.is(report.messages, 1);
  const printed = await consumed('batches', 1);
  const [, headers] = printed.toString('latin1').split('\t');
  const named = new Map(headers!.split(',').map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]));
  const events = eventsOf(printed.subarray(printed.lastIndexOf(0x09) + 1, -1), (name) => named.get(name));
  assert.equal(
    events,
    records.map((event) => ({ id: String(event.n), headers: null, event })),
  );
});

InteropSuite('a key is in the partition in which the Java producer puts it', async () => {
  await using ours = await open(`kafka://${server.address}/keys`, { partitions: 8 });
  const keys = Array.from({ length: 100 }, (_, n) => `${'größe'.slice(0, n % 6)}${n * 7_919}`);
  await Promise.all(keys.map((key) => ours.publish('keys', 'ours', { key })));
  const lines = keys.map((key) => `${key}#theirs\n`).join('');
  await tool('ConsoleProducer', ['--topic', 'keys', '--property', 'parse.key=true', '--property', 'key.separator=#'], lines);
  const printed = ['print.key=true', 'print.partition=true'].flatMap((property) => ['--property', property]);
  const read = await tool('consumer.ConsoleConsumer', ['--topic', 'keys', '--from-beginning', '--max-messages', '200', ...printed]);
  const partitions = new Map<string, string[]>(keys.map((key) => [key, []]));
  for (const line of read.toString().trimEnd().split('\n')) {
    const [partition, key] = line.split('\t');
    partitions.get(key!)!.push(partition!);
  }
  for (const [key, [first, second, ...more]] of partitions) assert.equal([second, more], [first, []], key);
  assert.is(new Set([...partitions.values()].flat()).size, 8);
});

InteropSuite('the log of the broker holds the codec that was asked for', async () => {
  const codecs = ['none', 'gzip', 'snappy', 'lz4'] as const;
  for (const compression of codecs) {
    await using ours = await open(`kafka://${server.address}/codec-${compression}`, { compression });
    await ours.publish('codec', 'x'.repeat(2_000));
  }
  const files = codecs.map((codec) => join(server.folder, 'data', `codec-${codec}-0`, '00000000000000000000.log'));
  const dumped = (await java('kafka.tools.DumpLogSegments', ['--files', files.join(',')])).toString();
  const found = [...dumped.matchAll(/codec-(\w+)-0[^]*?compresscodec: (\w+)/g)].map(([, topic, codec]) => [topic, codec]);
  assert.equal(
    found,
    codecs.map((codec) => [codec, codec]),
  );
});

if (jars !== null) InteropSuite.run();
