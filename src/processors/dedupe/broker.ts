/** JetStream with message ids: what `jetstream` promises, and the stream's duplicate window is at least as long as the one asked for. */
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { Broker } from '../broker.ts';
import { JetStreamBroker } from '../jetstream/broker.ts';

export function createDedupeBroker(options: ResolvedOptions): Broker {
  return new JetStreamBroker('dedupe', options);
}
