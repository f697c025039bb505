/** Closing: intake, rings, workers, acks, connections, in this order, with one deadline; what is open then is settled as failed. */
import type { Outbound } from './outbound.ts';
import type { Parts } from './parts.ts';
import type { PublishLane } from './publish-lane.ts';
import { MillraceError } from '../api/errors.ts';
import type { Subscription } from '../api/processor.ts';

/** For workers to finish the slabs they are at. */
const WORKERS_MS_MAX = 5_000;

export interface Closing {
  readonly parts: Parts;
  readonly outbound: Outbound;
  readonly lane: PublishLane;
  readonly subscriptions: Iterable<Subscription>;
}

export async function closeEngine({ parts, outbound, lane, subscriptions }: Closing): Promise<void> {
  const error = new MillraceError('MILLRACE_CLOSED', 'the processor was closed before this event had settled');
  await Promise.allSettled([...subscriptions].map((subscription) => subscription.close()));
  lane.dispatch(); // What its open slab holds must settle too.
  outbound.close(error);
  await parts.broker.close(); // Reports what was in flight as unknown.
  await Promise.race([settled(parts, outbound), deadline(WORKERS_MS_MAX)]);
  await outbound.dispatcher.close();
  try {
    await parts.refusals.close();
  } finally {
    parts.signals.state('closed');
  }
}

async function settled({ ring }: Parts, outbound: Outbound): Promise<void> {
  const sequence = ring.nextSequence;
  while (!outbound.isSettledBelow(sequence)) await outbound.whenSlabReleased();
}

async function deadline(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
}
