/** A flush that always settles: the client forgets one that was waiting when its last dial failed. */
import type { NatsConnection } from './nats-library.ts';

const FLUSH_MS_MAX = 5_000;

/** True: the server has read everything sent before. False: it did not answer in time, or the connection was lost. */
export async function boundedFlush(connection: NatsConnection, limitMs: number = FLUSH_MS_MAX): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), limitMs)));
  try {
    return await Promise.race([connection.flush().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
