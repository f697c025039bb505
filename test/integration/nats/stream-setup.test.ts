/** The stream is made as asked for, or one error says what differs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { ResolvedOptions } from '../../../src/config/resolved.ts';
import type { NatsConnection } from '../../../src/connections/nats-library.ts';
import { connect } from '../../../src/connections/nats-library.ts';
import { createDedupeBroker } from '../../../src/processors/dedupe/broker.ts';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import { KNOWN_MAX, StreamSetup } from '../../../src/processors/jetstream/stream-setup.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { testOptions } from './options.ts';
import { RecordingListener } from './outbound.ts';

const Setup = suite('JetStream stream setup');
let server: TestServer;
let outside: NatsConnection;

async function prepare(subjects: readonly string[], changes: Partial<ResolvedOptions>): Promise<void> {
  const options = testOptions({ servers: [`127.0.0.1:${server.port}`], ...changes });
  const broker = changes.kind === 'dedupe' ? createDedupeBroker(options) : createJetStreamBroker(options);
  await broker.open(new RecordingListener());
  try {
    await broker.prepare(subjects);
    await broker.prepare(subjects);
  } finally {
    await broker.close();
  }
}

Setup.before(async () => {
  server = await startNatsServer();
  outside = await connect({ servers: server.url });
});
Setup.after(async () => {
  await outside.close();
  await server.stop();
});

Setup('makes a missing stream from its options', async () => {
  await prepare(['made.a'], {
    stream: 'MADE',
    subjects: ['made.>', 'other'],
    storage: 'memory',
    maxAgeMs: 60_000,
    maxBytes: 1_000_000,
    maxMessages: 500,
    dedupeWindowMs: 30_000,
  });
  const { config } = await (await outside.jetstreamManager()).streams.info('MADE');
  assert.equal(
    [config.subjects, config.storage, config.num_replicas, config.max_msgs, config.max_bytes],
    [['made.>', 'other'], 'memory', 1, 500, 1_000_000],
  );
  assert.equal([config.max_age, config.duplicate_window], [60_000_000_000, 30_000_000_000]);
  assert.is((config as { allow_batched?: boolean }).allow_batched, true);
});

Setup('remembers a bounded number of subjects, and verifies one again that it has forgotten', async () => {
  const setup = new StreamSetup(testOptions({ stream: 'WIDE', subjects: ['wide.>'] }), 'jetstream');
  const jsm = await outside.jetstreamManager();
  await setup.prepare(outside, ['wide.first', 'wide.second']);
  await jsm.streams.delete('WIDE');
  await setup.prepare(outside, ['wide.first']); // Known: nobody is asked.
  assert.is((await jsm.streams.names().next()).includes('WIDE'), false);
  for (let call = 0; call < 5; call++) {
    await setup.prepare(
      outside,
      Array.from({ length: KNOWN_MAX / 4 }, (_, index) => `wide.${call}.${index}`),
    );
    assert.ok(setup.known <= KNOWN_MAX, `${setup.known}`);
  }
  await jsm.streams.delete('WIDE');
  await setup.prepare(outside, ['wide.first']);
  assert.is((await jsm.streams.info('WIDE')).config.name, 'WIDE');
});

const derived = [
  { name: 'of a subject', subjects: ['lat.x'], expected: ['lat', 'lat.>'], stream: 'D1' },
  { name: 'of a template', subjects: ['tpl.{type}'], expected: ['tpl', 'tpl.>'], stream: 'D2' },
  { name: 'of a single token', subjects: ['single'], expected: ['single', 'single.>'], stream: 'D3' },
];
for (const { name, subjects, expected, stream } of derived)
  Setup(`takes the first token ${name} when no subjects are named`, async () => {
    await prepare(subjects, { stream, subjects: [] });
    const { config } = await (await outside.jetstreamManager()).streams.info(stream);
    assert.equal(config.subjects, expected);
  });

const faults: { name: string; subjects: string[]; changes: Partial<ResolvedOptions>; code: string; says: RegExp }[] = [
  {
    name: 'creation is off',
    subjects: ['x.a'],
    changes: { stream: 'ABSENT', createStream: false },
    code: 'MILLRACE_STREAM_MISSING',
    says: /ABSENT.*createStream is off/,
  },
  {
    name: 'no subject can be derived',
    subjects: ['{type}.a'],
    changes: { stream: 'ABSENT', subjects: [] },
    code: 'MILLRACE_STREAM_MISSING',
    says: /option subjects/,
  },
  {
    name: 'the subject is outside',
    subjects: ['elsewhere.a'],
    changes: { stream: 'HERE', subjects: ['here.>'] },
    code: 'MILLRACE_SUBJECT_NOT_IN_STREAM',
    says: /here\.>.*elsewhere\.a.*subjects/,
  },
  {
    name: 'the window is too short',
    subjects: ['here.a'],
    changes: { kind: 'dedupe', stream: 'HERE', subjects: ['here.>'], dedupeWindowMs: 600_000 },
    code: 'MILLRACE_STREAM_MISMATCH',
    says: /120000 ms.*600000 ms.*nats stream edit HERE/,
  },
  {
    name: 'its subjects belong to another',
    subjects: ['here.a'],
    changes: { stream: 'RIVAL', subjects: ['here.>'] },
    code: 'MILLRACE_BROKER',
    says: /create stream RIVAL: subjects overlap/,
  },
];
Setup('has a stream HERE for the rows below', () => prepare(['here.a'], { stream: 'HERE', subjects: ['here.>'] }));
for (const { name, subjects, changes, code, says } of faults)
  Setup(`refuses when ${name}`, async () => {
    const error = await prepare(subjects, changes).then(
      () => null,
      (thrown: MillraceError) => thrown,
    );
    assert.is(error?.code, code);
    assert.match(error?.message ?? '', says);
  });

if (requireServer('nats-server') !== null) Setup.run();
