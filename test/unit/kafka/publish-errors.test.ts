/** What each answer of Kafka means for the records of the request; and the key, the headers and the package of the Kafka broker. */
import { ProtocolError, NetworkError, TimeoutError, UserError, MultipleErrors, AuthenticationError } from '@platformatic/kafka';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { loadKafkaLibrary } from '../../../src/processors/kafka/kafka-library.ts';
import { refusalOf, refusalTable } from '../../../src/processors/kafka/publish-errors.ts';
import { RecordMaker } from '../../../src/processors/kafka/record.ts';
import { kafkaSettings, mechanismsFor } from '../../../src/processors/kafka/settings.ts';
import { testOptions } from '../../integration/nats/options.ts';
import { outboundOf } from '../../integration/nats/outbound.ts';

const KafkaErrorsSuite = suite('Kafka refusals');

const nested = (error: Error): Error => new MultipleErrors('outer', [new MultipleErrors('inner', [error])]);

for (const { id, step, doubt } of refusalTable)
  KafkaErrorsSuite(`takes ${id} for ${step}${doubt ? ', in doubt' : ''}`, () => {
    const refusal = refusalOf(nested(new ProtocolError(id)));
    assert.equal([refusal.id, refusal.step, refusal.doubt], [id, step, doubt]);
  });

const others = [
  {
    name: 'a refused connect',
    error: nested(new NetworkError('Connection to 127.0.0.1:1 failed.')),
    step: 'again',
    doubt: false,
    code: 'MILLRACE_CONNECT',
  },
  {
    name: 'a cut connection',
    error: nested(new NetworkError('Connection closed')),
    step: 'again',
    doubt: true,
    code: 'MILLRACE_PUBLISH_UNKNOWN',
  },
  { name: 'silence', error: new TimeoutError('Request timed out'), step: 'again', doubt: true, code: 'MILLRACE_PUBLISH_TIMEOUT' },
  { name: 'an unknown topic', error: new UserError('Unknown topic x.'), step: 'refused', doubt: false, code: 'MILLRACE_STREAM_MISSING' },
  {
    name: 'a refused login',
    error: nested(new AuthenticationError('SASL authentication failed.')),
    step: 'refused',
    doubt: false,
    code: 'MILLRACE_AUTH',
  },
  { name: 'anything else', error: new Error('what?'), step: 'refused', doubt: true, code: 'MILLRACE_BROKER' },
] as const;
for (const { name, error, step, doubt, code } of others)
  KafkaErrorsSuite(`takes ${name} for ${step}${doubt ? ', in doubt' : ''}`, () => {
    const refusal = refusalOf(error);
    assert.equal([refusal.step, refusal.doubt, refusal.code], [step, doubt, code]);
  });

const keys = [
  { name: 'its subject', headers: {}, key: 'orders.new' },
  {
    name: 'the key it is given',
    headers: { 'Content-Type': 'application/msgpack', 'Millrace-Key': 'customer-7', 'X-Empty': '' },
    key: 'customer-7',
  },
];
for (const { name, headers, key } of keys)
  KafkaErrorsSuite(`gives a record ${name} as key, and the other headers as headers`, () => {
    const subject = Buffer.from('orders.new');
    const record = new RecordMaker().make(outboundOf('orders.new', Buffer.from([0, 255]), headers), 1, subject);
    assert.is(record.key.toString(), key);
    assert.equal(record.value, Buffer.from([0, 255]));
    const read = Object.fromEntries([...record.headers].map(([each, value]) => [each.toString(), value.toString()]));
    const { 'Millrace-Key': _key, ...rest } = headers as Record<string, string>;
    assert.equal(read, { 'Millrace-Subject': 'orders.new', ...rest });
  });

KafkaErrorsSuite('reads the headers of neighbours once, and never takes those of another block or subject', () => {
  const maker = new RecordMaker();
  const [a, b] = [Buffer.from('a'), Buffer.from('b')];
  const first = maker.make(outboundOf('a', 'one', { K: '1' }), 1, a);
  assert.is(maker.make(outboundOf('a', 'two', { K: '1' }), 2, a).headers, first.headers);
  const values = ({ headers }: { readonly headers: Map<Buffer, Buffer> }): string => [...headers.values()].join();
  assert.is(values(maker.make(outboundOf('a', 'three', { K: '2' }), 3, a)), 'a,2');
  assert.is(values(maker.make(outboundOf('b', 'four', { K: '2' }), 4, b)), 'b,2');
  assert.is(values(first), 'a,1');
});

KafkaErrorsSuite('copies the shared memory, so that it may be overwritten at once', () => {
  const message = outboundOf('a', 'payload', { A: 'b' });
  const record = new RecordMaker().make(message, 1, Buffer.from('a'));
  message.memory.fill(0);
  assert.is(record.value.toString(), 'payload');
  assert.ok(!(record.value.buffer instanceof SharedArrayBuffer));
});

KafkaErrorsSuite('never retries below us, sends passwords last, and requires TLS for them off loopback', () => {
  const warnings: string[] = [];
  const plain = kafkaSettings(testOptions({ servers: ['[::1]:9093', '127.0.0.1'] }), null, warnings);
  assert.is(plain.retries, 0);
  assert.equal(plain.bootstrapBrokers, [
    { host: '::1', port: 9_093 },
    { host: '127.0.0.1', port: 9_092 },
  ]);
  assert.is(plain.tls, undefined);
  const user = testOptions({ servers: ['far.example:9092'], user: 'u', password: 'p' });
  assert.equal(mechanismsFor(user), ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN']);
  assert.ok(kafkaSettings(user, 'PLAIN', warnings).tls !== undefined);
  assert.equal(mechanismsFor(testOptions({ token: 't' })), ['OAUTHBEARER']);
  assert.equal(warnings, []);
});

KafkaErrorsSuite('says what to install when the package is absent', async () => {
  const error = await loadKafkaLibrary(() => Promise.reject(new Error('Cannot find package'))).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, MillraceError);
  assert.is((error as MillraceError).code, 'MILLRACE_MISSING_PACKAGE');
  assert.match((error as MillraceError).message, /npm install @platformatic\/kafka/);
});

KafkaErrorsSuite.run();
