/** What the client throws becomes the right code, and no secret stays in the text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectError, redact } from '../../../src/connections/nats-errors.ts';

const Errors = suite('NATS connect errors');
const options = { servers: ['a:4222', 'b:4222'], password: 'p@ss', token: 'tok/en', nkey: 'SUSEED' };
const thrown = (code: string, message = code, chainedError?: unknown): Error => Object.assign(new Error(message), { code, chainedError });

const cases = [
  {
    name: 'a refused connection',
    error: thrown('CONNECTION_REFUSED', 'x', thrown('ECONNREFUSED')),
    code: 'MILLRACE_CONNECT',
    says: 'connection refused',
  },
  { name: 'a timeout', error: thrown('TIMEOUT'), code: 'MILLRACE_CONNECT', says: 'no answer in time' },
  { name: 'an unknown host', error: thrown('ENOTFOUND', 'getaddrinfo ENOTFOUND a'), code: 'MILLRACE_CONNECT', says: 'ENOTFOUND' },
  {
    name: 'an authorization violation',
    error: thrown('AUTHORIZATION_VIOLATION', "'Authorization Violation'"),
    code: 'MILLRACE_AUTH',
    says: 'refused the credentials',
  },
  { name: 'expired credentials', error: thrown('AUTHENTICATION_EXPIRED'), code: 'MILLRACE_AUTH', says: 'refused the credentials' },
  {
    name: 'a bad certificate',
    error: thrown('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'),
    code: 'MILLRACE_TLS',
    says: 'self-signed',
  },
  { name: 'a wrong host name', error: thrown('ERR_TLS_CERT_ALTNAME_INVALID', 'altnames'), code: 'MILLRACE_TLS', says: 'altnames' },
  { name: 'a server without TLS', error: thrown('SERVER_OPTION_NA', "'tls'"), code: 'MILLRACE_TLS', says: 'does not offer TLS' },
  { name: 'a thrown text', error: 'odd', code: 'MILLRACE_CONNECT', says: 'odd' },
];
for (const { name, error, code, says } of cases)
  Errors(`names ${name}`, () => {
    const made = connectError(error, options);
    assert.is(made.code, code);
    assert.ok(made.message.includes(says), made.message);
    assert.ok(made.message.includes('a:4222, b:4222'), made.message);
  });

Errors('cuts out every secret, percent-encoded or not', () => {
  const text = redact('nats://u:p%40ss@h p@ss tok/en tok%2Fen SUSEED', options);
  assert.is(text, 'nats://u:***@h *** *** *** ***');
  assert.not.match(connectError(new Error('p@ss and SUSEED'), options).message, /p@ss|SUSEED/);
});

Errors.run();
