/** Rows for where the broker is. A URL gives these by its own parts; a kind name takes them as options. */

export const targetRows = {
  servers: {
    unit: 'list',
    default: '',
    kinds: ['simple', 'jetstream', 'dedupe', 'streaming', 'kafka'],
    value: 'HOST:PORT,…',
    help: 'servers to connect to; without one NATS_URL, else 127.0.0.1 and the port of the kind (4222, Kafka 9092)',
  },
  path: { unit: 'text', default: '.millrace', kinds: ['embedded'], value: 'FOLDER', help: 'folder of the embedded store' },
  stream: {
    unit: 'text',
    default: '',
    check: 'stream',
    kinds: ['jetstream', 'dedupe', 'streaming', 'kafka'],
    aliases: ['topic', 'cluster'],
    value: 'NAME',
    help: 'JetStream stream, Kafka topic or NATS Streaming cluster id',
  },
  clientId: {
    unit: 'text',
    default: '',
    kinds: ['streaming', 'kafka'],
    value: 'NAME',
    help: 'client id shown to the broker; without one, one is made for this process',
  },
} as const;
