/** Resolved options for a broker under test: the defaults of the product, in short form. */
import type { Logger, ResolvedOptions } from '../../../src/config/resolved.ts';

const silent = (): void => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

export function testOptions(changes: Partial<ResolvedOptions>): ResolvedOptions {
  return {
    kind: 'jetstream', url: 'test', servers: ['127.0.0.1:4222'], path: '', stream: 'EVENTS', clientId: '',
    name: 'millrace-test', connections: 1, user: '', password: '', token: '', nkey: '', creds: '', tls: 'auto', ca: '', cert: '', key: '',
    insecure: false, inboxPrefix: '_INBOX', connectTimeoutMs: 5_000, reconnect: true, reconnectTimeoutMs: 0, pingIntervalMs: 5_000,
    createStream: true, subjects: ['ev.>'], replicas: 1, storage: 'file', maxAgeMs: 0, maxBytes: 0, maxMessages: 0, dedupeWindowMs: 120_000,
    partitions: 1, compression: 'none',
    workers: 0, slabs: 16, slabBytes: 262_144, maxEventBytes: 8_388_608, batchBytes: 65_536, batchEvents: 4_096, lingerMs: 0,
    dedupeCapacity: 1_024, id: null, framing: null, ordering: 'relaxed', onFull: 'block', workerTimeoutMs: 10_000, workerHeapMiB: 0,
    maxInFlightBytes: 16 * 1_048_576, maxInFlightMessages: 4_096, publishTimeoutMs: 5_000, maxAttempts: 10, backoffMs: 50, backoffMaxMs: 1_000,
    resendUnknown: false, drainTimeoutMs: 10_000, deadLetters: 'off',
    logger,
    ...changes,
  };
}
