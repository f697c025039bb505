/** Makes the Kafka client's options from ours: bounded requests, no retries below us, TLS where it is required, and SASL. */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { tlsPolicy } from '../tls-policy.ts';
import type { KafkaLibrary } from './kafka-library.ts';

/** In the order they are tried: the password itself is sent only when the broker offers nothing better. */
export const mechanisms = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const;
export type Mechanism = (typeof mechanisms)[number] | 'OAUTHBEARER';

export interface KafkaSettings {
  readonly clientId: string;
  readonly bootstrapBrokers: { host: string; port: number }[];
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly timeout: number;
  readonly retries: number;
  readonly autocreateTopics: boolean;
  readonly metadataMaxAge: number;
  readonly tls?: object;
  readonly tlsServerName?: boolean;
  readonly sasl?: { mechanism: Mechanism; username?: string; password?: string; token?: string };
}

const DEFAULT_PORT = 9_092;
/** A request that timed out leaves its connection unusable in this library: our own deadlines must come first. */
const REQUEST_MS_SPARE = 2_000;
const METADATA_MS_MAX = 60_000;

export function kafkaSettings(options: ResolvedOptions, mechanism: Mechanism | null, warnings: string[]): KafkaSettings {
  const tls = tlsPolicy(options, options.servers, warnings);
  return {
    clientId: options.name.replace(/\s+/g, '-') || 'millrace',
    bootstrapBrokers: options.servers.map(addressOf),
    connectTimeout: options.connectTimeoutMs,
    requestTimeout: options.publishTimeoutMs + REQUEST_MS_SPARE,
    timeout: options.publishTimeoutMs,
    // Each retry is ours: only we know the deadline, and whether an attempt may have been stored.
    retries: 0,
    autocreateTopics: false,
    metadataMaxAge: METADATA_MS_MAX,
    ...(tls === undefined ? {} : { tls, tlsServerName: true }),
    ...(mechanism === null ? {} : { sasl: saslOf(options, mechanism) }),
  };
}

function saslOf({ user, password, token }: ResolvedOptions, mechanism: Mechanism): NonNullable<KafkaSettings['sasl']> {
  return mechanism === 'OAUTHBEARER' ? { mechanism, token } : { mechanism, username: user, password };
}

/** The mechanisms to try; null: no credentials. */
export function mechanismsFor({ user, token }: ResolvedOptions): readonly (Mechanism | null)[] {
  if (token !== '') return ['OAUTHBEARER'];
  return user === '' ? [null] : mechanisms;
}

/** `host:port`, also with an IPv6 address in brackets, which the library's own reader cannot split. */
function addressOf(server: string): { host: string; port: number } {
  const match = /^(?:[a-z+]+:\/\/)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(server);
  if (match === null) throw new MillraceError('MILLRACE_CONFIG', `'${server}' is not host:port`, { context: { option: 'servers' } });
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: match[2] === undefined ? DEFAULT_PORT : Number(match[2]) };
}

export function checkCompression({ compression }: ResolvedOptions, library: KafkaLibrary): void {
  if (compression === 'none' || library.compressionsAlgorithms[compression].available !== false) return;
  const message = `compression ${compression} is not in this version of Node (${process.version}): use gzip, snappy or lz4, or Node 22.15 or newer`;
  throw new MillraceError('MILLRACE_CONFIG', message, { context: { processor: 'kafka', option: 'compression' } });
}
