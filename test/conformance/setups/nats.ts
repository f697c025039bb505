/** One nats-server with JetStream for three kinds: subjects of core NATS, or a stream for each name. */
import { startNatsServer } from '../../harness/nats-server.ts';
import type { Place, Setup } from '../setup.ts';

const MAX_PAYLOAD = 1_048_576;

const onNats = (kind: 'simple' | 'jetstream' | 'dedupe', urlOf: (port: number, name: string) => string): Setup => ({
  kind,
  server: 'nats-server',
  eventBytesOver: MAX_PAYLOAD,
  subjects: 10_000,
  start: async (): Promise<Place> => {
    const server = await startNatsServer({ jetstream: kind !== 'simple' });
    return { url: (name) => urlOf(server.port, name), restart: () => server.restart(), stop: () => server.stop() };
  },
});

export const simpleSetup: Setup = onNats('simple', (port) => `nats://127.0.0.1:${port}`);
export const jetStreamSetup: Setup = onNats('jetstream', (port, name) => `nats+jetstream://127.0.0.1:${port}/${name}`);
export const dedupeSetup: Setup = onNats('dedupe', (port, name) => `nats+dedupe://127.0.0.1:${port}/${name}`);
