/** A stream as Millrace makes it: file storage, one replica, two minutes of message ids. */
import { connect, nanos, RetentionPolicy, StorageType } from 'nats';
import type { NatsConnection } from 'nats';

export const STREAM = 'BENCH';
export const SUBJECT = 'bench.events';
const WINDOW_MS = 120_000;

/** `tuned` false: the client as it comes, which captures a stack trace for each request and publish. */
export async function openStream(url: string, { tuned = true }: { readonly tuned?: boolean } = {}): Promise<NatsConnection> {
  const connection = await connect({ servers: url, ...(tuned ? { noAsyncTraces: true } : {}) });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({
    name: STREAM,
    subjects: ['bench.>'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: 1,
    duplicate_window: nanos(WINDOW_MS),
  });
  return connection;
}
