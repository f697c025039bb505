/** Each refusal of the broker has the outcome, the retry rule and the code that were decided for it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusalError, refusalOf } from '../../../src/processors/jetstream/publish-errors.ts';

const Refusals = suite('JetStream refusals');
const cases = [
  { name: 'no responders', status: 503, code: 0, expected: ['MILLRACE_STREAM_MISSING', 'failed', true], slowDown: false },
  { name: 'temporarily unavailable', status: 503, code: 10_008, expected: ['MILLRACE_BROKER_BUSY', 'failed', true], slowDown: false },
  { name: 'insufficient resources', status: 503, code: 10_023, expected: ['MILLRACE_BROKER_FULL', 'failed', true], slowDown: true },
  { name: 'insufficient storage', status: 500, code: 10_047, expected: ['MILLRACE_BROKER_FULL', 'failed', true], slowDown: false },
  { name: 'maximum messages exceeded', status: 503, code: 10_077, expected: ['MILLRACE_BROKER_FULL', 'failed', true], slowDown: false },
  { name: 'message size', status: 400, code: 10_054, expected: ['MILLRACE_EVENT_TOO_LARGE', 'failed', false], slowDown: false },
  { name: 'account limits', status: 400, code: 10_002, expected: ['MILLRACE_BROKER_FULL', 'failed', false], slowDown: false },
  { name: 'wrong last id', status: 400, code: 10_070, expected: ['MILLRACE_BROKER', 'failed', false], slowDown: false },
  { name: 'wrong last sequence', status: 400, code: 10_071, expected: ['MILLRACE_BROKER', 'failed', false], slowDown: false },
  { name: 'duplicate in process', status: 409, code: 10_158, expected: ['MILLRACE_PUBLISH_UNKNOWN', 'unknown', true], slowDown: false },
  { name: 'too many requests', status: 429, code: 10_167, expected: ['MILLRACE_BROKER_BUSY', 'failed', true], slowDown: true },
  { name: 'too many requests without a code', status: 429, code: 0, expected: ['MILLRACE_BROKER_BUSY', 'failed', true], slowDown: true },
  { name: 'an unnamed server fault', status: 500, code: 19_999, expected: ['MILLRACE_BROKER', 'failed', true], slowDown: false },
  { name: 'an unnamed fault of the request', status: 400, code: 19_999, expected: ['MILLRACE_BROKER', 'failed', false], slowDown: false },
];
for (const { name, status, code, expected, slowDown } of cases)
  Refusals(`gives ${expected.join(', ')} for ${name}`, () => {
    const refusal = refusalOf(status, code);
    const error = refusalError(refusal, { code, description: 'said so' }, { subject: 'a.b', stream: 'S' });
    assert.equal([error.code, error.outcome, error.retryable], expected);
    assert.is(refusal.slowDown, slowDown);
    assert.match(error.message, /S refused a\.b: .*said so/);
  });

Refusals.run();
