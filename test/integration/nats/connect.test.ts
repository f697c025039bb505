/** The first connect and what follows it: who gets in, who is refused with which code, and that no secret shows. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { ResolvedOptions } from '../../../src/config/resolved.ts';
import { nkeys } from '../../../src/connections/nats-library.ts';
import type { Broker } from '../../../src/processors/broker.ts';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import { freePort } from '../../harness/free-port.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { onPath } from '../../harness/server-table.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { certificates } from './certificates.ts';
import { testOptions } from './options.ts';
import { outboundOf, publishOne, RecordingListener } from './outbound.ts';

const Connect = suite('NATS connect');
const PASSWORD = 'canary-p@ss/word';
const TOKEN = 'canary-token';
const folder = mkdtempSync(join(tmpdir(), 'millrace-connect-'));
const nkeyUser = nkeys.createUser();
const seed = Buffer.from(nkeyUser.getSeed()).toString();
const servers: TestServer[] = [];
const brokers: Broker[] = [];

async function start(config: string): Promise<TestServer> {
  const server = await startNatsServer({ config });
  servers.push(server);
  return server;
}

async function open(
  server: { readonly port: number },
  changes: Partial<ResolvedOptions>,
): Promise<{ broker: Broker; listener: RecordingListener }> {
  const broker = createJetStreamBroker(testOptions({ servers: [`127.0.0.1:${server.port}`], ...changes }));
  const listener = new RecordingListener();
  brokers.push(broker);
  await broker.open(listener);
  return { broker, listener };
}

const failure = (opening: Promise<unknown>): Promise<MillraceError | null> =>
  opening.then(
    () => null,
    (thrown: MillraceError) => thrown,
  );

Connect.after.each(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
Connect.after(() => rmSync(folder, { recursive: true, force: true }));

const users = (): string => `authorization { users = [
  { user: "good", password: "${PASSWORD}" }
  { nkey: "${nkeyUser.getPublicKey()}" }
  { user: "narrow", password: "${PASSWORD}", permissions: { publish: ["$JS.API.>", "ok.>"], subscribe: ["mine.>"] } }
] }`;

const admitted: { name: string; config: string; changes: Partial<ResolvedOptions> }[] = [
  { name: 'user and password', config: users(), changes: { user: 'good', password: PASSWORD } },
  { name: 'an nkey seed', config: users(), changes: { nkey: seed } },
  { name: 'a token', config: `authorization { token: "${TOKEN}" }`, changes: { token: TOKEN } },
];
for (const { name, config, changes } of admitted)
  Connect(`gets in with ${name}, and again after a restart`, async () => {
    const server = await start(config);
    const { broker, listener } = await open(server, changes);
    await broker.prepare(['ev.a']);
    await server.restart();
    await waitFor('the reconnect', () => listener.states.includes('reconnecting') && listener.states.at(-1) === 'open');
    assert.is((await publishOne(broker, listener, outboundOf('ev.a', 'x'))).kind, 'acked');
  });

const shut: { name: string; config: string; changes: Partial<ResolvedOptions>; code: string }[] = [
  { name: 'a wrong password', config: users(), changes: { user: 'good', password: `${PASSWORD}!` }, code: 'MILLRACE_AUTH' },
  { name: 'an unknown user', config: users(), changes: { user: 'nobody', password: PASSWORD }, code: 'MILLRACE_AUTH' },
  { name: 'a wrong token', config: `authorization { token: "${TOKEN}" }`, changes: { token: `${TOKEN}!` }, code: 'MILLRACE_AUTH' },
  { name: 'no credentials', config: users(), changes: {}, code: 'MILLRACE_AUTH' },
  { name: 'text that is no seed', config: users(), changes: { nkey: 'canary-seed' }, code: 'MILLRACE_AUTH' },
  { name: 'a credentials file that is not there', config: '', changes: { creds: join(folder, 'none.creds') }, code: 'MILLRACE_AUTH' },
  { name: 'TLS asked of a server without', config: '', changes: { tls: 'require' }, code: 'MILLRACE_TLS' },
];
for (const { name, config, changes, code } of shut)
  Connect(`is refused with ${name}`, async () => {
    const error = await failure(open(await start(config), changes));
    assert.is(error?.code, code);
    const shown = `${error?.message} ${JSON.stringify(error?.context)} ${String(error?.cause)}`;
    assert.not.match(shown, /canary/);
  });

Connect('names the servers when none is there, at once', async () => {
  const port = await freePort();
  const error = await failure(open({ port }, { servers: [`127.0.0.1:${port}`, `localhost:${port}`] }));
  assert.is(error?.code, 'MILLRACE_CONNECT');
  assert.match(error?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${port}, localhost:${port}: connection refused`));
});

Connect('gives up after connectTimeout when the server accepts and says nothing', async () => {
  const server = await start('');
  await server.kill('SIGSTOP');
  const error = await failure(open(server, { connectTimeoutMs: 200 }));
  assert.is(error?.code, 'MILLRACE_CONNECT');
  await server.kill('SIGCONT');
});

Connect('marks a forbidden subject: its messages fail, the others go through', async () => {
  const server = await start(users());
  const { broker: wide } = await open(server, { user: 'good', password: PASSWORD, stream: 'PERM', subjects: ['ok.>', 'no.>'] });
  await wide.prepare(['ok.a']);
  const { broker, listener } = await open(server, {
    user: 'narrow',
    password: PASSWORD,
    stream: 'PERM',
    subjects: ['ok.>', 'no.>'],
    inboxPrefix: 'mine',
  });
  await broker.prepare(['ok.a', 'no.a']);
  for (let token = 0; token < 20; token++) assert.ok(broker.tryPublish(outboundOf(token % 2 === 0 ? 'ok.a' : 'no.a', 'x'), token));
  await waitFor('all outcomes', () => listener.outcomes.size === 20);
  for (const [token, outcome] of listener.outcomes) {
    assert.is(outcome.kind, token % 2 === 0 ? 'acked' : 'failed');
    if (outcome.kind === 'failed') assert.equal([outcome.error.code, outcome.error.retryable], ['MILLRACE_AUTH', false]);
  }
  const later = await publishOne(broker, listener, outboundOf('no.a', 'x'));
  assert.is(later.kind, 'failed');
});

Connect('reports credentials refused while reconnecting, goes on, and takes them when they are good again', async () => {
  const server = await start(`authorization { token: "${TOKEN}" }`);
  const { broker, listener } = await open(server, { token: TOKEN });
  await server.restart({ config: 'authorization { token: "other" }' });
  const reason = await waitFor('the reason', () => listener.reasons[0]);
  assert.is(reason.code, 'MILLRACE_AUTH');
  assert.ok((await broker.health()).reasons.length > 0);
  await server.restart({ config: `authorization { token: "${TOKEN}" }` });
  await waitFor('the connection', () => listener.states.at(-1) === 'open');
  assert.equal((await broker.health()).reasons, []);
});

Connect('reads max_payload again after a reconnect', async () => {
  const server = await start('max_payload: 100000');
  const { broker, listener } = await open(server, {});
  assert.is(broker.limits().messageBytesMax, 100_000);
  await server.restart({ config: 'max_payload: 50000' });
  await waitFor('the connection', () => listener.states.includes('reconnecting') && listener.states.at(-1) === 'open');
  assert.is(broker.limits().messageBytesMax, 50_000);
});

Connect('closes for good when reconnectTimeout has passed', async () => {
  const server = await start('');
  const { listener } = await open(server, { reconnectTimeoutMs: 150 });
  await server.kill('SIGKILL');
  await waitFor('the end', () => listener.states.includes('closed'));
  assert.is(listener.reasons[0]?.code, 'MILLRACE_CONNECTION_LOST');
});

Connect('stops at its signal', async () => {
  const server = await start('');
  await server.kill('SIGSTOP');
  const stop = new AbortController();
  const broker = createJetStreamBroker(testOptions({ servers: [`127.0.0.1:${server.port}`] }));
  const opening = failure(broker.open(new RecordingListener(), stop.signal));
  stop.abort();
  assert.is((await opening)?.code, 'MILLRACE_ABORTED');
  await server.kill('SIGCONT');
});

if (onPath('openssl') !== null) {
  Connect('uses TLS when the server asks for it, checks the certificate, and publishes whole payloads', async () => {
    const { ca, cert, key } = certificates(folder, 'right');
    const server = await start(`tls { cert_file: "${cert}", key_file: "${key}" }`);
    const { broker, listener } = await open(server, { ca, stream: 'TLS', subjects: ['tls.>'] });
    await broker.prepare(['tls.a']);
    for (const bytes of [10, 200_000])
      assert.is((await publishOne(broker, listener, outboundOf('tls.a', Buffer.alloc(bytes, 7)))).kind, 'acked');
    const wrong = await failure(open(server, { ca: certificates(folder, 'wrong').ca }));
    const plain = await failure(open(server, {}));
    const off = await failure(open(server, { tls: 'off' }));
    assert.equal([wrong?.code, plain?.code, off?.code], ['MILLRACE_TLS', 'MILLRACE_TLS', 'MILLRACE_TLS']);
    const { listener: lax } = await open(server, { insecure: true });
    assert.match(lax.warnings.join(), /insecure/);
  });
}

Connect('reads a credentials file again at each reconnect, and warns when others may read it', async () => {
  const server = await start('');
  const file = join(folder, 'user.creds');
  const creds = `-----BEGIN NATS USER JWT-----\nxxx\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  writeFileSync(file, creds);
  chmodSync(file, 0o644);
  const { listener } = await open(server, { creds: file });
  assert.match(listener.warnings.join(), /chmod 600/);
  rmSync(file);
  await server.restart();
  await waitFor('the connection', () => listener.states.includes('reconnecting') && listener.states.at(-1) === 'open');
});

if (requireServer('nats-server') !== null) Connect.run();
