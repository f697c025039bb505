/** What a process may never ask for is loaded when it does: a fifth of the modules, which the first ack of a new process need not wait for. */
import type { ingest } from './ingest.ts';
import type { replay } from './replay.ts';
import type { subscribe } from './subscribing.ts';
import type { Delivery } from '../api/event.ts';

export const ingestOnDemand: typeof ingest = async (...call) => (await import('./ingest.ts')).ingest(...call);

export const subscribeOnDemand: typeof subscribe = async (...call) => (await import('./subscribing.ts')).subscribe(...call);

export async function* replayOnDemand(...call: Parameters<typeof replay>): AsyncGenerator<Delivery> {
  yield* (await import('./replay.ts')).replay(...call);
}
