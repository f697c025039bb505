/** Makes the options of the old NATS client from ours, one server at a time, and says where TLS is required. */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { nkeys } from '../../connections/nats-library.ts';
import { tlsPolicy } from '../tls-policy.ts';

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
  const secure = tlsPolicy(resolved, [server], warnings) ?? (tls && resolved.tls !== 'off' ? {} : undefined);
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
