/** Makes the NATS client's options from ours: credentials, TLS and the settings that keep a long-lived connection honest. */
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { ConnectionOptions, TargetOptions } from '../config/resolved.ts';
import type { Authenticator, NatsOptions, TlsOptions } from './nats-library.ts';
import { credsAuthenticator, nkeyAuthenticator, nkeys } from './nats-library.ts';

export type NatsTarget = ConnectionOptions & Pick<TargetOptions, 'servers'>;

export interface SlotSettings {
  /** Added to the connection's name. */
  readonly slot: string;
  /** True where nothing is read, so that nobody's own publishes come back. */
  readonly noEcho: boolean;
}

const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 2_000;
const PING_OUT_MAX = 2;
const OTHERS_MAY_READ = 0o044;

/** What all slots of one pool share; made once, so that warnings come once. */
export interface SharedSettings {
  readonly authenticator: Authenticator | null;
  readonly tls: TlsOptions | null | undefined;
  readonly warnings: readonly string[];
}

export function shareSettings(target: NatsTarget): SharedSettings {
  const warnings: string[] = [];
  const authenticator = authenticatorOf(target, warnings);
  const tls = tlsOf(target, authenticator !== null || target.user !== '' || target.token !== '', warnings);
  return { authenticator, tls, warnings };
}

export function natsOptions(target: NatsTarget, shared: SharedSettings, { slot, noEcho }: SlotSettings): NatsOptions {
  const options: NatsOptions = {
    servers: [...target.servers],
    name: `${target.name}-${slot}`,
    noEcho,
    inboxPrefix: target.inboxPrefix,
    timeout: target.connectTimeoutMs,
    pingInterval: target.pingIntervalMs,
    maxPingOut: PING_OUT_MAX,
    reconnect: target.reconnect,
    maxReconnectAttempts: -1,
    // Jitter over the whole range: after a broker's restart its clients come back spread out.
    reconnectDelayHandler: () => RECONNECT_MS_MIN + Math.random() * (RECONNECT_MS_MAX - RECONNECT_MS_MIN),
    waitOnFirstConnect: false,
    // A rotated credentials file heals an authorization error: the pool reports it, and goes on trying.
    ignoreAuthErrorAbort: true,
    // Hidden from the types: without it each request captures two stacks.
    ...({ noAsyncTraces: true } as object),
  };
  if (shared.tls !== undefined) options.tls = shared.tls;
  if (shared.authenticator !== null) options.authenticator = shared.authenticator;
  if (target.user !== '') options.user = target.user;
  if (target.user !== '' && target.password !== '') options.pass = target.password;
  if (target.token !== '') options.token = target.token;
  return options;
}

function authenticatorOf(target: NatsTarget, warnings: string[]): Authenticator | null {
  if (target.creds !== '') return credsAuthenticator(credsReader(target.creds, warnings));
  if (target.nkey === '') return null;
  const seed = new TextEncoder().encode(target.nkey);
  try {
    nkeys.fromSeed(seed);
  } catch {
    throw new MillraceError('MILLRACE_AUTH', 'the option nkey is not a seed: expected text that begins with SU', {
      context: { option: 'nkey' },
    });
  }
  return nkeyAuthenticator(seed);
}

/** Reads at each connect, so that a rotated file is taken; a file that cannot be read just then leaves the last good one in use. */
function credsReader(path: string, warnings: string[]): () => Uint8Array {
  let last = readCreds(path);
  if ((statSync(path).mode & OTHERS_MAY_READ) !== 0) warnings.push(`${path} can be read by others than its owner: chmod 600 it`);
  return () => {
    try {
      last = readCreds(path);
    } catch {
      // Half-way through a rotation.
    }
    return last;
  };
}

function readCreds(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new MillraceError('MILLRACE_AUTH', `the credentials file ${path} cannot be read: ${messageOf(error)}`, {
      context: { option: 'creds', file: path },
    });
  }
  if (!Buffer.from(bytes).includes('BEGIN NATS USER JWT')) {
    throw new MillraceError('MILLRACE_AUTH', `${path} is not a NATS credentials file`, { context: { option: 'creds', file: path } });
  }
  return bytes;
}

/**
 * Undefined: TLS when the server asks for it. An object: required. Null: off. Credentials never leave the machine in plain text
 * unless `tls=off` says so.
 */
function tlsOf(target: NatsTarget, credentials: boolean, warnings: string[]): TlsOptions | null | undefined {
  const remote = !target.servers.every(isLoopback);
  if (target.tls === 'off') {
    if (remote && credentials) warnings.push('credentials are sent in plain text (tls=off)');
    return null;
  }
  const files = target.ca !== '' || target.cert !== '' || target.key !== '';
  if (target.insecure) warnings.push('insecure: any certificate of the server is accepted');
  if (target.tls === 'auto' && !files && !target.insecure && !(remote && credentials)) {
    if (remote) warnings.push('plain text is used if the server does not ask for TLS; tls=require forbids it');
    return undefined;
  }
  for (const path of [target.ca, target.cert, target.key]) if (path !== '') mustRead(path);
  const tls: TlsOptions & { rejectUnauthorized?: boolean; checkServerIdentity?: typeof checkServerIdentity } = {
    checkServerIdentity: identityCheck(target.servers),
  };
  if (target.ca !== '') tls.caFile = target.ca;
  if (target.cert !== '') tls.certFile = target.cert;
  if (target.key !== '') tls.keyFile = target.key;
  if (target.insecure) tls.rejectUnauthorized = false;
  return tls;
}

function mustRead(path: string): void {
  try {
    readFileSync(path);
  } catch (error) {
    throw new MillraceError('MILLRACE_TLS', `${path} cannot be read: ${messageOf(error)}`, { context: { file: path } });
  }
}

/**
 * The client names no host to Node when it dials an address, and Node then checks the certificate for `localhost`: so addresses are
 * checked here, against those that were configured.
 */
function identityCheck(servers: readonly string[]): typeof checkServerIdentity {
  const hosts = servers.map(hostOf);
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  return (host, certificate) => {
    if (host !== 'localhost' || hosts.includes('localhost')) return checkServerIdentity(host, certificate);
    const faults = addresses.map((address) => checkServerIdentity(address, certificate));
    return faults.includes(undefined) ? undefined : faults[0];
  };
}

/** Of `host:port`, `[::1]:port`, or a bare host. */
const hostOf = (server: string): string =>
  server
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');

function isLoopback(server: string): boolean {
  const host = hostOf(server);
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
