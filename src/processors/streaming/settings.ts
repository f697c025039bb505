/** Makes the options of the old NATS client from ours, one server at a time, and says where TLS is required. */
import { readFileSync } from 'node:fs';
import { MillraceError, messageOf } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { nkeys } from '../../connections/nats-library.ts';

const MS_PER_SECOND = 1_000;
/** The server accepts no less than these. */
const PING_SECONDS_MIN = 1;
const PING_OUT_MAX = 2;

export interface StanSettings {
  readonly options: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/** `tls` true: the server asked for it, which this client learns by being refused. */
export function stanSettings(resolved: ResolvedOptions, server: string, tls: boolean): StanSettings {
  const warnings: string[] = [];
  const { name, user, password, token, nkey, creds, connectTimeoutMs, pingIntervalMs, publishTimeoutMs, maxInFlightMessages } = resolved;
  const secure = tlsOf(resolved, server, warnings) ?? (tls && resolved.tls !== 'off' ? {} : undefined);
  const options = {
    url: `nats://${server.replace(/^[a-z+]+:\/\//, '')}`,
    name,
    encoding: 'binary',
    connectTimeout: connectTimeoutMs,
    ackTimeout: publishTimeoutMs,
    // Pitfall 1: over this limit the client reports an error and publishes all the same. We count ourselves, and it must never speak.
    maxPubAcksInflight: maxInFlightMessages * 2,
    // Pitfall 5: the documented default of 88 unanswered pings is 440 s of publishing into the void.
    stanPingInterval: Math.max(PING_SECONDS_MIN, Math.ceil(pingIntervalMs / MS_PER_SECOND)) * MS_PER_SECOND,
    stanMaxPingOut: PING_OUT_MAX,
    pingInterval: pingIntervalMs,
    maxPingOut: PING_OUT_MAX,
    // Pitfall 6: a reconnect of the NATS connection does not restore the STAN session. We rebuild both, always.
    reconnect: false,
    ...(user === '' ? {} : { user, pass: password }),
    ...(token === '' ? {} : { token }),
    ...(creds === '' ? {} : { userCreds: creds }),
    ...(nkey === '' ? {} : signer(nkey)),
    ...(secure === undefined ? {} : { tls: secure }),
  };
  return { options, warnings };
}

function signer(seed: string): { readonly nkey: string; readonly nonceSigner: (nonce: Uint8Array) => Buffer } {
  try {
    const pair = nkeys.fromSeed(new TextEncoder().encode(seed));
    return { nkey: pair.getPublicKey(), nonceSigner: (nonce) => Buffer.from(pair.sign(nonce)) };
  } catch {
    throw new MillraceError('MILLRACE_AUTH', 'nkey is not a valid seed', { context: { option: 'nkey' } });
  }
}

/** Credentials never leave the machine in plain text unless `tls=off` says so. Undefined: plain, unless the server refuses that. */
function tlsOf(options: ResolvedOptions, server: string, warnings: string[]): object | undefined {
  const { tls, ca, cert, key, insecure, user, token, nkey, creds } = options;
  const remote = !isLoopback(server);
  const credentials = user !== '' || token !== '' || nkey !== '' || creds !== '';
  if (tls === 'off') {
    if (remote && credentials) warnings.push('credentials are sent in plain text (tls=off)');
    return undefined;
  }
  if (insecure) warnings.push('insecure: any certificate of the server is accepted');
  const files = { ...read('ca', ca), ...read('cert', cert), ...read('key', key) };
  if (tls === 'auto' && Object.keys(files).length === 0 && !insecure && !(remote && credentials)) {
    if (remote) warnings.push('plain text is used if the server does not ask for TLS; tls=require forbids it');
    return undefined;
  }
  return { ...files, ...(insecure ? { rejectUnauthorized: false } : {}) };
}

function read(option: 'ca' | 'cert' | 'key', path: string): Partial<Record<'ca' | 'cert' | 'key', Buffer>> {
  if (path === '') return {};
  try {
    return { [option]: readFileSync(path) };
  } catch (error) {
    throw new MillraceError('MILLRACE_TLS', `${path} cannot be read: ${messageOf(error)}`, { context: { file: path, option } });
  }
}

function isLoopback(server: string): boolean {
  const host = server
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
