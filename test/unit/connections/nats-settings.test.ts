/** The TLS and credential rules, and the settings that keep a connection honest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { NatsTarget } from '../../../src/connections/nats-settings.ts';
import { natsOptions, shareSettings } from '../../../src/connections/nats-settings.ts';

const Settings = suite('NATS settings');
const target: NatsTarget = {
  servers: ['127.0.0.1:4222'],
  name: 'app',
  connections: 2,
  user: '',
  password: '',
  token: '',
  nkey: '',
  creds: '',
  tls: 'auto',
  ca: '',
  cert: '',
  key: '',
  insecure: false,
  inboxPrefix: '_INBOX',
  connectTimeoutMs: 1_000,
  reconnect: true,
  reconnectTimeoutMs: 0,
  pingIntervalMs: 7_000,
};
const remote = { servers: ['nats.example.com:4222'] };

const rules: { name: string; changes: Partial<NatsTarget>; tls: 'when asked' | 'required' | 'off'; warns: RegExp | null }[] = [
  { name: 'loopback without credentials', changes: {}, tls: 'when asked', warns: null },
  { name: 'loopback with credentials', changes: { user: 'u', password: 'p' }, tls: 'when asked', warns: null },
  { name: 'IPv6 loopback with a token', changes: { servers: ['[::1]:4222'], token: 't' }, tls: 'when asked', warns: null },
  { name: 'another host without credentials', changes: remote, tls: 'when asked', warns: /plain text is used if/ },
  { name: 'another host with credentials', changes: { ...remote, user: 'u' }, tls: 'required', warns: null },
  {
    name: 'one other host among several, with a token',
    changes: { servers: ['localhost:1', 'far:2'], token: 't' },
    tls: 'required',
    warns: null,
  },
  { name: 'tls=off with credentials', changes: { ...remote, user: 'u', tls: 'off' }, tls: 'off', warns: /plain text \(tls=off\)/ },
  { name: 'tls=off on loopback', changes: { tls: 'off' }, tls: 'off', warns: null },
  { name: 'tls=require', changes: { tls: 'require' }, tls: 'required', warns: null },
  { name: 'insecure', changes: { insecure: true }, tls: 'required', warns: /any certificate/ },
];
for (const { name, changes, tls, warns } of rules)
  Settings(`gives TLS ${tls} for ${name}`, () => {
    const shared = shareSettings({ ...target, ...changes });
    const found = shared.tls === undefined ? 'when asked' : shared.tls === null ? 'off' : 'required';
    assert.is(found, tls);
    if (warns === null) assert.equal(shared.warnings, []);
    else assert.match(shared.warnings.join(), warns);
  });

const faults: { name: string; changes: Partial<NatsTarget>; code: string }[] = [
  { name: 'an nkey that is no seed', changes: { nkey: 'nope' }, code: 'MILLRACE_AUTH' },
  { name: 'a creds path that is not there', changes: { creds: '/nowhere/x.creds' }, code: 'MILLRACE_AUTH' },
  { name: 'a ca path that is not there', changes: { ca: '/nowhere/ca.pem' }, code: 'MILLRACE_TLS' },
];
for (const { name, changes, code } of faults)
  Settings(`refuses ${name} before it dials`, () => {
    try {
      shareSettings({ ...target, ...changes });
      assert.unreachable();
    } catch (error) {
      assert.is((error as MillraceError).code, code);
    }
  });

Settings('reconnects for ever with jitter, pings, and names its slots', () => {
  const options = natsOptions(target, shareSettings(target), { slot: '1', noEcho: true });
  assert.equal(
    [options.name, options.noEcho, options.pingInterval, options.maxPingOut, options.maxReconnectAttempts],
    ['app-1', true, 7_000, 2, -1],
  );
  assert.is((options as { noAsyncTraces?: boolean }).noAsyncTraces, true);
  const delays = Array.from({ length: 50 }, () => options.reconnectDelayHandler!());
  assert.ok(new Set(delays).size > 40 && Math.min(...delays) >= 100 && Math.max(...delays) <= 2_000);
});

Settings.run();
