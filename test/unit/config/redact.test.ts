/** No part of a password or token gets into what is printed: neither of a good URL nor of one that cannot be read. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { redactUrl } from '../../../src/config/redact.ts';
import { resolveOptions } from '../../../src/config/resolve.ts';

const Redact = suite('redaction');

for (const [text, expected] of [
  ['nats://u:p@h:4222/S', 'nats://***@h:4222/S'],
  ['at nats://t0ken@h, and kafka://u:p@k/t', 'at nats://***@h, and kafka://***@k/t'],
  ['nats://h:4222?password=p&window=2m', 'nats://h:4222?password=***&window=2m'],
  ['embedded:a@b', 'embedded:a@b'],
  ['nats://h:4222/S', 'nats://h:4222/S'],
] as const)
  Redact(`${text} → ${expected}`, () => assert.is(redactUrl(text), expected));

/** Each holds `hunter` in its secret, in a form that a parser may cut in two. */
const targets = [
  'nats://u:hunter@h',
  'nats://hunter@h',
  'nats://u:hunter/hunter@h/S',
  'nats://u:hunter?hunter@h',
  'nats://u:hunter,hunter@h',
  'nats://u:hunter@hunter@h',
  'nats://u:hunter%zz@h',
  'nats://u:hunter@h:99999',
  'natz://u:hunter@h',
  'nats+jetstream://u:hunter@h',
  'nats://h?password=hunter',
  'nats://u:hunter#hunter@h',
];

for (const target of targets)
  Redact(`hides the secret of ${target}`, () => {
    let text: string;
    try {
      const { options, origins, warnings } = resolveOptions({ target });
      text = options.url + JSON.stringify(origins) + warnings.join();
    } catch (error) {
      assert.instance(error, MillraceError);
      text = `${(error as MillraceError).message}${JSON.stringify((error as MillraceError).context)}`;
    }
    assert.not(text.includes('hunter'), text);
  });

Redact('hides secrets given as options, also bad ones', () => {
  const { origins } = resolveOptions({ target: 'simple', options: { token: 'hunter' } });
  assert.is(origins['token']?.value, '***');
  assert.throws(
    () => resolveOptions({ target: 'simple', options: { token: ['hunter'] } }),
    (error: Error) => error.message.includes('option token') && !error.message.includes('hunter'),
  );
});

Redact.run();
