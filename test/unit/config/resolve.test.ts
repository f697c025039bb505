/** The order of the origins, all faults at once, secrets from files, and the names of the contract. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { resolveConnect } from '../../../src/config/connect-options.ts';
import { readConfigFile } from '../../../src/config/file.ts';
import type { ResolveRequest } from '../../../src/config/request.ts';
import { resolveOptions } from '../../../src/config/resolve.ts';

const Resolve = suite('resolveOptions');
const folder = mkdtempSync(join(tmpdir(), 'millrace-config-'));
Resolve.after(() => rmSync(folder, { recursive: true }));

function fileOf(values: Record<string, unknown>): NonNullable<ResolveRequest['file']> {
  return { path: 'm.json', values: new Map(Object.entries(values)) };
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, 'MILLRACE_CONFIG');
    return (error as MillraceError).message;
  }
  return assert.unreachable('must throw') as never;
}

const full = { options: { workers: 1 }, target: 'nats://h?workers=2', env: { MILLRACE_WORKERS: '3' }, file: fileOf({ workers: 4 }) };
const order: readonly { readonly request: ResolveRequest; readonly workers: number; readonly origin: string; readonly from: string }[] = [
  { request: { ...full, source: 'flag' }, workers: 1, origin: 'flag', from: 'flag --workers' },
  { request: full, workers: 1, origin: 'option', from: 'option workers' },
  { request: { ...full, options: {} }, workers: 2, origin: 'url', from: 'URL query workers' },
  { request: { ...full, options: {}, target: 'nats://h' }, workers: 3, origin: 'env', from: 'env MILLRACE_WORKERS' },
  { request: { ...full, options: {}, target: 'nats://h', env: {} }, workers: 4, origin: 'file', from: 'file m.json: workers' },
  {
    request: { options: { workers: undefined }, file: fileOf({ workers: 4 }), env: { MILLRACE_WORKERS: '' } },
    workers: 4,
    origin: 'file',
    from: 'file m.json: workers',
  },
];

for (const { request, workers, origin, from } of order)
  Resolve(`${origin} is the strongest of those given (${from})`, () => {
    const resolution = resolveOptions(request);
    assert.is(resolution.options.workers, workers);
    assert.equal(resolution.origins['workers'], { value: String(workers), origin, from });
  });

const targets: readonly { readonly request: ResolveRequest; readonly url: string; readonly from: string }[] = [
  { request: { target: 'nats://flag', env: { MILLRACE_TO: 'nats://env' } }, url: 'nats://flag:4222', from: 'target' },
  {
    request: { env: { MILLRACE_TO: 'nats://env', NATS_URL: 'nats://n' }, file: fileOf({ to: 'nats://file' }) },
    url: 'nats://env:4222',
    from: 'env MILLRACE_TO',
  },
  { request: { env: { NATS_URL: 'nats://n' }, file: fileOf({ to: 'nats://file' }) }, url: 'nats://file:4222', from: 'file m.json: to' },
  { request: { env: { NATS_URL: 'nats://n' } }, url: 'nats://n:4222', from: 'env NATS_URL' },
  { request: { env: { NATS_URL: 'n:1' } }, url: 'nats://n:1', from: 'env NATS_URL' },
  { request: { env: { NATS_URL: 'nats+jetstream://n/S' } }, url: 'nats+jetstream://n:4222/S', from: 'env NATS_URL' },
  { request: {}, url: 'embedded:.millrace', from: 'default' },
  {
    request: { address: 'from', env: { MILLRACE_TO: 'nats://to', MILLRACE_FROM: 'nats://from' } },
    url: 'nats://from:4222',
    from: 'env MILLRACE_FROM',
  },
  { request: { address: 'from', env: { MILLRACE_TO: 'nats://to' } }, url: 'nats://to:4222', from: 'env MILLRACE_TO' },
  {
    request: { target: 'jetstream', options: { stream: 'S' }, env: { NATS_URL: 'nats://u:p@n:7' } },
    url: 'nats+jetstream://***@n:7/S',
    from: 'target',
  },
];

for (const { request, url, from } of targets)
  Resolve(`target ${url} from ${from}`, () => {
    const resolution = resolveOptions(request);
    assert.is(resolution.options.url, url);
    assert.is(resolution.origins[request.address ?? 'to']?.from, from);
  });

Resolve('keeps the credentials of NATS_URL to its own servers', () => {
  const { options } = resolveOptions({ target: 'nats://other', env: { NATS_URL: 'nats://u:p@n' } });
  assert.equal([options.user, options.password, options.servers], ['', '', ['other:4222']]);
});

Resolve('lists every fault at once, each with value, place, expectation and nearest name', () => {
  const message = messageOf(() =>
    resolveOptions({
      target: 'nats+jetstream://h:99999/S?replicas=9&windw=2m',
      options: { wrokers: 2, slabBytes: '1000', framing: 'bach' },
      source: 'flag',
      env: { MILLRACE_LINGER_MS: 'soon', MILLRACE_SLABS: '1' },
      file: fileOf({ ordering: 'strikt', nonsense: 1, batchEvents: 1.5 }),
    }),
  );
  const parts = [
    '11 faults',
    'flag --to: "h:99999" is no server',
    'URL query replicas: "9" is not valid; expected a whole number from 1 to 5',
    'URL query windw: no such option; did you mean window?',
    'flag --wrokers: no such option; did you mean workers?',
    'flag --slab-bytes: "1000" is not valid; expected a size',
    'flag --framing: "bach" is not valid; expected one of batch, each; did you mean batch?',
    'env MILLRACE_LINGER_MS: "soon"',
    'env MILLRACE_SLABS: "1"',
    'file m.json: ordering: "strikt" is not valid; expected one of relaxed, strict; did you mean strict?',
    'file m.json: nonsense: no such option',
  ];
  for (const part of parts) assert.ok(message.includes(part), `${part}\nnot in\n${message}`);
  assert.ok(message.includes('file m.json: batchEvents: 1.5'), message);
});

for (const [name, request, part] of [
  ['two ways to sign in', { target: 'simple', options: { user: 'u', token: 't' } }, 'two ways to sign in'],
  ['a password without a user', { target: 'simple', env: { MILLRACE_PASSWORD: 'p' } }, 'a password without a user'],
  ['a certificate without its key', { target: 'simple', options: { cert: 'c' } }, 'cert and key belong together'],
  ['a ring beyond its limit', { options: { slabs: 4_096, slabBytes: '1MiB' } }, 'slabs × slabBytes is 4GiB'],
  ['a backoffMax below backoff', { options: { backoff: '2s', backoffMax: '1s' } }, 'less than backoff'],
  ['two names of one option', { target: 'kafka', options: { topic: 'a', stream: 'b' } }, 'the same option'],
  ['a bad id rule', { options: { id: 'hsh' } }, 'did you mean hash?'],
  ['a key of the prototype', { file: fileOf({ __proto__x: 1, constructor: 1 }) }, 'constructor: no such option'],
  ['a file that cannot be read', { target: 'simple', env: { MILLRACE_TOKEN_FILE: join(folder, 'none') } }, 'cannot be read'],
] as const satisfies readonly (readonly [string, ResolveRequest, string])[])
  Resolve(`refuses ${name}`, () => assert.ok(messageOf(() => resolveOptions(request)).includes(part)));

Resolve('reads a secret from a file, without its last line break', () => {
  const path = join(folder, 'token');
  writeFileSync(path, 's3cret\n');
  const { options, origins } = resolveOptions({ target: 'simple', env: { MILLRACE_TOKEN_FILE: path } });
  assert.is(options.token, 's3cret');
  assert.equal(origins['token'], { value: '***', origin: 'env', from: 'env MILLRACE_TOKEN_FILE' });
});

Resolve('warns of a useless option and of a variable that is nearly one of ours', () => {
  const { warnings } = resolveOptions({
    target: 'embedded',
    options: { replicas: 3 },
    env: { MILLRACE_WROKERS: '1', MILLRACE_TEST_NATS_SERVER: 'x', MILLRACE_REPLICAS: '3' },
  });
  assert.is(warnings.length, 2, warnings.join('\n'));
  assert.ok(warnings.some((text) => text.includes('option replicas does not apply to embedded')));
  assert.ok(warnings.some((text) => text.includes('did you mean MILLRACE_WORKERS?')));
});

Resolve('resolves the options of a call beside those of connect', () => {
  const { call, origins } = resolveOptions({
    call: 'ingest',
    options: { maxRate: '500/s' },
    env: { MILLRACE_SUBJECT: 'a.{b}' },
    file: fileOf({ envelope: true, limit: 3 }),
  });
  assert.equal([call['maxRate'], call['subject'], call['limit'], call['dryRun']], [500, 'a.{b}', 3, false]);
  assert.is(origins['subject']?.origin, 'env');
});

Resolve('fills every member, defaults in base units', () => {
  const { options } = resolveOptions({});
  for (const [name, value] of Object.entries(options)) assert.ok(value !== undefined && !Number.isNaN(value), name);
  assert.equal([options.slabs, options.slabBytes, options.batchBytes, options.batchEvents], [8, 2_097_152, 524_288, 65_536]);
  assert.equal(
    [options.dedupeCapacity, options.dedupeWindowMs, options.connectTimeoutMs, options.id, options.framing],
    [4_194_304, 120_000, 5_000, null, null],
  );
  assert.ok(options.workers >= 1);
});

Resolve('connect takes a config file, an environment and a logger', () => {
  const path = join(folder, 'm.json');
  writeFileSync(path, '\uFEFF{"to": "embedded:elsewhere", "slabs": 8}');
  const none = (): void => {};
  const logger = { debug: none, info: none, warn: none, error: none };
  const { options } = resolveConnect('', { config: path, env: { MILLRACE_SLABS: '9' }, logger });
  assert.equal([options.url, options.slabs], ['embedded:elsewhere', 9]);
  assert.is(options.logger, logger);
  assert.is(resolveConnect('', { env: { MILLRACE_CONFIG: path } }).options.slabs, 8);
});

for (const [content, part] of [
  ['{', 'is not JSON'],
  ['[]', 'no JSON object'],
  ['null', 'no JSON object'],
] as const)
  Resolve(`refuses a config file that holds ${content}`, () => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, content);
    assert.ok(messageOf(() => readConfigFile(path)).includes(part));
  });

Resolve('refuses a config file that is not there', () =>
  assert.ok(messageOf(() => readConfigFile(join(folder, 'no.json'))).includes('cannot be read')),
);

Resolve.run();
