/** One Kafka broker, a topic for each name. */
import { startKafka } from '../../harness/kafka-server.ts';
import type { Place, Setup } from '../setup.ts';

export const kafkaSetup: Setup = {
  kind: 'kafka',
  server: 'kafka',
  eventBytesOver: 1_048_588, // The default of max.message.bytes, and a record has more than its value.
  subjects: 10_000,
  partitions: 4,
  start: async (): Promise<Place> => {
    const server = await startKafka();
    return { url: (name) => `kafka://${server.address}/${name}`, restart: () => server.restart(), stop: () => server.stop() };
  },
};
