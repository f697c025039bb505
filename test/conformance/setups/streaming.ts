/** A nats-streaming-server with a file store: channels are made by their first event. */
import { STAN_CLUSTER, startStanServer } from '../../harness/stan-server.ts';
import type { Place, Setup } from '../setup.ts';

export const streamingSetup: Setup = {
  kind: 'streaming',
  server: 'nats-streaming-server',
  eventBytesOver: 1_048_576,
  subjects: 1_000, // Channels are folders with open files, which the server makes at some hundred in a second.
  start: async (): Promise<Place> => {
    const server = await startStanServer({ args: ['-file_fds_limit', '400'] }); // Each channel has three files.
    return { url: () => `stan://${server.address}/${STAN_CLUSTER}`, restart: () => server.restart(), stop: () => server.stop() };
  },
};
