/** Connection URLs and kind names: each form of the contract, their defaults, and what is said about wrong ones. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { ResolvedOptions } from '../../../src/config/resolved.ts';
import { resolveOptions } from '../../../src/config/resolve.ts';

const Url = suite('connection URLs');

interface Good {
  readonly target: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly expect: Partial<ResolvedOptions>;
}

const good: readonly Good[] = [
  { target: 'embedded:.millrace', expect: { kind: 'embedded', path: '.millrace', servers: [], url: 'embedded:.millrace' } },
  { target: 'embedded:', expect: { kind: 'embedded', path: '.millrace' } },
  { target: 'embedded:/var/lib/a b@c', expect: { path: '/var/lib/a b@c' } },
  { target: 'embedded:x?workers=0&window=5m', expect: { path: 'x', workers: 0, dedupeWindowMs: 300_000 } },
  { target: 'nats://127.0.0.1:4222', expect: { kind: 'simple', servers: ['127.0.0.1:4222'], url: 'nats://127.0.0.1:4222' } },
  { target: 'nats://a,b:99', expect: { servers: ['a:4222', 'b:99'], url: 'nats://a:4222,b:99' } },
  { target: 'nats://a/', expect: { kind: 'simple', servers: ['a:4222'] } },
  { target: 'NATS://A', expect: { kind: 'simple', servers: ['A:4222'] } },
  { target: 'nats://[::1]:4223', expect: { servers: ['[::1]:4223'] } },
  { target: 'nats://', expect: { servers: ['127.0.0.1:4222'] } },
  {
    target: 'nats+jetstream://h/EVENTS?replicas=3&window=2m',
    expect: { kind: 'jetstream', stream: 'EVENTS', replicas: 3, dedupeWindowMs: 120_000, url: 'nats+jetstream://h:4222/EVENTS' },
  },
  { target: 'nats+jetstream://h/E?createStream=false&subjects=a.>,b', expect: { createStream: false, subjects: ['a.>', 'b'] } },
  { target: 'nats+jetstream://h/E?insecure', expect: { insecure: true } },
  { target: 'nats+dedupe://h/E', expect: { kind: 'dedupe', stream: 'E' } },
  { target: 'stan://h/test-cluster', expect: { kind: 'streaming', stream: 'test-cluster', servers: ['h:4222'] } },
  { target: 'kafka://h,i:1/orders.v1', expect: { kind: 'kafka', stream: 'orders.v1', servers: ['h:9092', 'i:1'] } },
  { target: 'nats://u:p%40%3A@h', expect: { user: 'u', password: 'p@:', url: 'nats://***@h:4222' } },
  { target: 'nats://t0ken@h', expect: { token: 't0ken', user: '', url: 'nats://***@h:4222' } },
  { target: 'nats://u:p@a,u:p@b', expect: { user: 'u', password: 'p', servers: ['a:4222', 'b:4222'] } },
  {
    target: 'jetstream',
    options: { servers: 'nats://127.0.0.1:4222', stream: 'EVENTS' },
    expect: { kind: 'jetstream', servers: ['127.0.0.1:4222'], url: 'nats+jetstream://127.0.0.1:4222/EVENTS' },
  },
  {
    target: 'jetstream',
    options: { servers: ['tls://u:p@a', 'b:1'], stream: 'E' },
    expect: { servers: ['a:4222', 'b:1'], tls: 'require', user: 'u' },
  },
  { target: 'embedded', options: { path: '/x' }, expect: { path: '/x', url: 'embedded:/x' } },
  { target: 'kafka', options: { topic: 't' }, expect: { stream: 't', servers: ['127.0.0.1:9092'] } },
  { target: 'streaming', options: { cluster: 'c', servers: ['h'] }, expect: { stream: 'c', servers: ['h:4222'] } },
];

for (const { target, options = {}, expect } of good)
  Url(`takes ${target} ${JSON.stringify(options)}`, () => {
    const resolved = resolveOptions({ target, options }).options;
    for (const [name, value] of Object.entries(expect)) assert.equal(resolved[name as keyof ResolvedOptions], value, name);
  });

const bad = [
  { target: 'nats+jetstrem://h/S', says: ['nats+jetstrem:', 'nats+jetstream://'] },
  { target: 'http://h', says: ['unknown scheme "http:"', 'kafka://HOST:PORT/TOPIC'] },
  { target: 'jetstreem', says: ['no connection URL', 'nats+jetstream://'] },
  { target: '', says: ['no connection URL'] },
  { target: 'nats:h', says: ['no // after its scheme'] },
  { target: 'nats://h:0', says: ['"h:0" is no server', '1 to 65535'] },
  { target: 'nats://h:99999', says: ['"h:99999"'] },
  { target: 'nats://h:x', says: ['"h:x"'] },
  { target: 'nats://a b', says: ['is no server'] },
  { target: 'nats://h/S', says: ['takes nothing after its servers', 'nats+jetstream://…/S'] },
  { target: 'nats+jetstream://h', says: ['needs a stream'] },
  { target: 'stan://h', says: ['needs a cluster'] },
  { target: 'kafka://h', says: ['needs a topic'] },
  { target: 'nats+dedupe://h/a.b', says: ['has a dot'] },
  { target: 'nats+jetstream://h/a%20b', says: ['"a b" is not valid'] },
  { target: 'nats+jetstream://h/S%', says: ['write a percent sign as %25'] },
  { target: 'nats://h?wrokers=2', says: ['URL query wrokers', 'did you mean workers?'] },
  { target: 'nats://h?workers=2&workers=3', says: ['the same option'] },
  { target: 'nats://h?window=1m&dedupeWindow=2m', says: ['differs from URL query window'] },
  { target: 'nats://h?workers=', says: ['a whole number'] },
  { target: 'embedded:x?replicas=3', says: ['does not apply to embedded', 'jetstream'] },
  { target: 'nats://u:a@h,u:b@i', says: ['different values for password'] },
] as const;

for (const { target, says } of bad)
  Url(`refuses ${target}`, () => {
    assert.throws(
      () => resolveOptions({ target }),
      (error: unknown) => {
        assert.instance(error, MillraceError);
        assert.is((error as MillraceError).code, 'MILLRACE_CONFIG');
        for (const text of says) assert.ok((error as MillraceError).message.includes(text), (error as MillraceError).message);
        return true;
      },
    );
  });

Url.run();
