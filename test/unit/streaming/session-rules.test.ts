/** The rules of STAN sessions that need no server: client ids, whole seconds, refusals, settings, and the message when the package is absent. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { publisherId, readerId } from '../../../src/processors/streaming/client-id.ts';
import { refusalOf } from '../../../src/processors/streaming/publish-errors.ts';
import { stanSettings } from '../../../src/processors/streaming/settings.ts';
import { loadStanLibrary } from '../../../src/processors/streaming/stan-library.ts';
import { wholeSeconds } from '../../../src/processors/streaming/subscribe.ts';
import { testOptions } from '../../integration/nats/options.ts';

const StanRulesSuite = suite('STAN session rules');

StanRulesSuite('makes client ids unique, and stable for a durable', () => {
  assert.is(publisherId('mine', 'app'), 'mine');
  assert.not.equal(publisherId('', 'app'), publisherId('', 'app'));
  const durable = { durable: 'bill.ing', queue: '', filter: 'orders.new' };
  assert.is(readerId('x', durable, 'app'), readerId('y', durable, 'app'));
  assert.not.equal(readerId('x', durable, 'app'), readerId('x', { ...durable, durable: 'bill_ing' }, 'app'));
  assert.not.equal(readerId('x', { ...durable, queue: 'q' }, 'app'), readerId('x', { ...durable, queue: 'q' }, 'app'));
  for (const id of [publisherId('', 'my app/é'), readerId('x', durable, 'my app')]) assert.match(id, /^[A-Za-z0-9_-]+$/);
});

const waits = [
  { ms: 1, seconds: 1 },
  { ms: 1_000, seconds: 1 },
  { ms: 1_001, seconds: 2 },
  { ms: 5_500, seconds: 6 },
];
for (const { ms, seconds } of waits)
  StanRulesSuite(`rounds an ack wait of ${ms} ms to ${seconds} s`, () => assert.is(wholeSeconds(ms), seconds * 1_000));

const refusals = [
  { said: 'stan: publish ack timeout', code: 'MILLRACE_PUBLISH_TIMEOUT', outcome: 'unknown', retryable: true, ends: false },
  { said: 'stan: Connection closed', code: 'MILLRACE_PUBLISH_UNKNOWN', outcome: 'unknown', retryable: true, ends: false },
  { said: 'stan: invalid publish request', code: 'MILLRACE_BROKER', outcome: 'failed', retryable: true, ends: true },
  { said: 'too many channels', code: 'MILLRACE_BROKER_FULL', outcome: 'failed', retryable: false, ends: false },
  { said: 'something new', code: 'MILLRACE_BROKER', outcome: 'unknown', retryable: true, ends: false },
] as const;
for (const { said, code, outcome, retryable, ends } of refusals)
  StanRulesSuite(`takes '${said}' for ${outcome}`, () => {
    const refusal = refusalOf(said, 'a');
    assert.equal(
      [refusal.error.code, refusal.outcome, refusal.error.outcome, refusal.error.retryable, refusal.endsSession],
      [code, outcome, outcome, retryable, ends],
    );
  });

StanRulesSuite('lowers the ping limits, never reconnects below the session, and never lets the library count', () => {
  const { options } = stanSettings(testOptions({ maxInFlightMessages: 100, pingIntervalMs: 2_500 }), '127.0.0.1:1', false);
  assert.is(options['reconnect'], false);
  assert.is(options['stanPingInterval'], 3_000);
  assert.is(options['stanMaxPingOut'], 2);
  assert.ok(Number(options['maxPubAcksInflight']) > 100);
  assert.not('tls' in options);
});

StanRulesSuite('requires TLS for credentials off loopback, unless told otherwise', () => {
  assert.ok('tls' in stanSettings(testOptions({ user: 'u', password: 'p' }), 'far.example:4222', false).options);
  const off = stanSettings(testOptions({ user: 'u', password: 'p', tls: 'off' }), 'far.example:4222', true);
  assert.not('tls' in off.options);
  assert.is(off.warnings.length, 1);
  assert.ok('tls' in stanSettings(testOptions({}), '127.0.0.1:1', true).options);
});

StanRulesSuite('says what to install when the package is absent', async () => {
  const error = await loadStanLibrary(() => Promise.reject(new Error('Cannot find package'))).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, MillraceError);
  assert.is((error as MillraceError).code, 'MILLRACE_MISSING_PACKAGE');
  assert.match((error as MillraceError).message, /npm install node-nats-streaming/);
});

StanRulesSuite.run();
