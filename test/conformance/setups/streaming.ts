/** A nats-streaming-server with a file store: channels are made by their first event. */
import { STAN_CLUSTER, startStanServer } from '../../harness/stan-server.ts';
import type { Place, Setup } from '../setup.ts';

const startOn = async (args: readonly string[]): Promise<Place> => {
  const server = await startStanServer({ args });
  return { url: () => `stan://${server.address}/${STAN_CLUSTER}`, restart: () => server.restart(), stop: () => server.stop() };
};

export const streamingSetup: Setup = {
  kind: 'streaming',
  server: 'nats-streaming-server',
  eventBytesOver: 1_048_576,
  subjects: 10_000,
  start: () => startOn([]),
  // Its file store makes a channel's folder and three files: 10,000 take it 10 s, and after a kill more than 20 s to open again.
  startForSubjects: () => startOn(['-store', 'memory']),
};
