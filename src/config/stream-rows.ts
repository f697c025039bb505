/** Rows for a stream, topic or store that is made or verified, and for its dedupe window. */

export const streamRows = {
  createStream: {
    unit: 'boolean',
    default: true,
    kinds: ['embedded', 'jetstream', 'dedupe', 'kafka'],
    help: 'make the stream, topic or store when it is missing',
  },
  subjects: {
    unit: 'list',
    default: '',
    kinds: ['jetstream', 'dedupe'],
    value: 'SUBJECT,…',
    help: 'subjects of a stream that must be created; without them, from the first publish',
  },
  replicas: {
    unit: 'count',
    default: 1,
    min: 1,
    max: 5,
    kinds: ['jetstream', 'dedupe', 'kafka'],
    help: 'copies the broker keeps of a created stream',
  },
  storage: {
    unit: 'choice',
    default: 'file',
    choices: ['file', 'memory'],
    kinds: ['jetstream', 'dedupe'],
    help: 'where a created stream is kept',
  },
  maxAge: { unit: 'time', default: '0', kinds: ['embedded', 'jetstream', 'dedupe', 'kafka'], help: 'oldest message kept; 0 = no limit' },
  maxBytes: { unit: 'size', default: '0', kinds: ['embedded', 'jetstream', 'dedupe', 'kafka'], help: 'bytes kept; 0 = no limit' },
  maxMessages: { unit: 'count', default: 0, kinds: ['embedded', 'jetstream', 'dedupe'], help: 'messages kept; 0 = no limit' },
  dedupeWindow: {
    unit: 'time',
    default: '2m',
    min: 100,
    aliases: ['window'],
    flag: 'window',
    help: 'how long an id is remembered, by us and by the broker',
  },
  partitions: { unit: 'count', default: 1, min: 1, max: 10_000, kinds: ['kafka'], help: 'partitions of a topic that must be created' },
  compression: {
    unit: 'choice',
    default: 'none',
    choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    kinds: ['kafka'],
    help: 'compression of the records',
  },
} as const;
