/** The `nats` command line publishes JSON and text that we read, and sees the bytes we have stored. */
import { Readable } from 'node:stream';
import * as assert from 'uvu/assert';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { comparable, eventsOf, open, readEvents, run, written } from './foreign.ts';

const InteropSuite = timedSuite('interop: nats command line');
const nats = requireServer('nats');
let server: TestServer;

const cli = (args: readonly string[], input?: Uint8Array): Promise<Buffer> =>
  run(nats!, ['-s', server.url, '--no-context', ...args], input === undefined ? {} : { input });
const urlOf = (stream: string): string => `nats+jetstream://127.0.0.1:${server.port}/${stream}`;

InteropSuite.before(async () => void (server = await startNatsServer()));
InteropSuite.after(() => server.stop());

InteropSuite('gets what we have stored: msgpack by its content type, headers as they were given', async () => {
  await using ours = await open(urlOf('OURS'));
  await ours.publish('ours.a', { n: 1, text: 'größe' }, { id: 'one', headers: { Region: 'eu' } });
  await ours.ingest(Readable.from([Buffer.from('{"n":2}\n{"n":3}\n')]), { subject: 'ours.b', format: 'ndjson' });
  const stored = await Promise.all(
    ['1', '2'].map(async (sequence) => {
      const { subject, hdrs, data } = JSON.parse((await cli(['stream', 'get', 'OURS', sequence, '--json'])).toString()) as {
        subject: string;
        hdrs: string;
        data: string;
      };
      const lines = Buffer.from(hdrs, 'base64').toString().split('\r\n').slice(1);
      const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
      return { subject, headers, events: eventsOf(Buffer.from(data, 'base64'), (name) => headers.get(name)) };
    }),
  );
  assert.equal(
    stored.map(({ subject, events }) => [subject, events.map(({ event }) => event)]),
    [
      ['ours.a', [{ n: 1, text: 'größe' }]],
      ['ours.b', [{ n: 2 }, { n: 3 }]],
    ],
  );
  assert.equal([stored[0]!.headers.get('Nats-Msg-Id'), stored[0]!.headers.get('Region')], ['one', 'eu']);
});

InteropSuite('subscribes to core NATS and prints our bytes as they are', async () => {
  await using ours = await open(server.url);
  const printed = cli(['sub', 'core.raw', '--raw', '--count', '1']);
  const timer = setInterval(() => void ours.publish('core.raw', 'plain text').catch(() => undefined), 20); // Until it listens.
  try {
    assert.match((await printed).toString('latin1'), /\xaaplain text/); // fixstr of 10 bytes.
  } finally {
    clearInterval(timer);
  }
});

InteropSuite('publishes to core NATS what we read', async () => {
  await using ours = await open(server.url);
  const reading = readEvents(ours, 'heard.>', 2);
  let reads = true;
  const ended = reading.finally(() => (reads = false));
  // Core NATS keeps nothing: until the subscription is there.
  while (reads) {
    await cli(['pub', 'heard.json', '{"n":1}', '-H', 'Content-Type:application/json']);
    await cli(['pub', 'heard.text', 'words']);
  }
  const heard = new Map((await ended).map(({ subject, event }) => [subject, event]));
  assert.equal([heard.get('heard.json'), heard.get('heard.text')], [{ n: 1 }, 'words']);
});

InteropSuite('publishes what we read', async () => {
  await using ours = await open(urlOf('THEIRS'));
  await ours.publish('theirs.first', 0); // Makes the stream.
  for (const [n, { contentType, payload }] of written.entries()) {
    const headers = contentType === undefined ? [] : ['-H', `Content-Type:${contentType}`];
    await cli(['pub', `theirs.f${n}`, '--force-stdin', '-J', '-H', `Trace:t${n}`, ...headers], payload);
  }
  const seen = (await readEvents(ours, 'theirs.>', written.length + 1)).slice(1);
  for (const [n, { name, event }] of written.entries()) {
    assert.equal(comparable(seen[n]!.event), comparable(event), name);
    assert.equal([seen[n]!.subject, seen[n]!.headers['Trace']], [`theirs.f${n}`, `t${n}`], name);
  }
});

if (nats !== null && requireServer('nats-server') !== null) InteropSuite.run();
