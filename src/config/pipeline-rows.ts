/** Rows for the memory, the worker threads and the batches. */

export const pipelineRows = {
  workers: {
    unit: 'count',
    default: 'cores - 1, at least 1',
    computed: true,
    max: 128,
    help: 'worker threads; 0 = the same stages inline on the main thread, where workerTimeout cannot stop a transform that never returns',
  },
  slabs: {
    unit: 'count',
    default: 8,
    min: 2,
    max: 4_096,
    help: 'slabs in the ring; together with slabBytes the memory that is queue and backpressure',
  },
  slabBytes: { unit: 'size', default: '2MiB', min: 4_096, max: 67_108_864, check: 'kib', help: 'size of one slab' },
  maxEventBytes: {
    unit: 'size',
    default: '8MiB',
    min: 1,
    max: 268_435_456,
    help: 'largest event; a larger one is a reject',
  },
  batchBytes: {
    unit: 'size',
    default: '512KiB', // The client's own consumers ask for 100 messages at once, and a server hangs up on who holds back 64 MiB.
    min: 1,
    max: 67_108_864,
    help: 'payload of one batch at most; the broker’s own limit lowers it',
  },
  batchEvents: { unit: 'count', default: 65_536, min: 1, max: 1_048_576, help: 'events in one batch at most' },
  lingerMs: { unit: 'time', default: '0', max: 60_000, help: 'longest time a batch waits for company' },
  dedupeCapacity: {
    unit: 'count',
    default: 4_194_304,
    min: 1_024,
    max: 67_108_864,
    help: 'ids the window can hold, at most 32 bytes each, allocated when first used',
  },
  id: {
    unit: 'text',
    default: '',
    check: 'id',
    value: 'RULE',
    help: 'identity of an event: /pointer, hash, offset, time or none; without one, offset for files and none otherwise',
  },
  framing: {
    unit: 'choice',
    default: '',
    choices: ['batch', 'each'],
    help: 'many events in one broker message, or one; without it, batch for ingest and each for publish',
  },
  ordering: {
    unit: 'choice',
    default: 'relaxed',
    choices: ['relaxed', 'strict'],
    help: 'strict: of each subject one batch is on its way at a time, so that none overtakes one that is tried again',
  },
  onFull: {
    unit: 'choice',
    default: 'block',
    choices: ['block', 'fail', 'drop-newest'],
    help: 'what happens to an event when no room is left',
  },
  workerTimeout: {
    unit: 'time',
    default: '30s',
    min: 10,
    help: 'longest time in user code on one record before its worker is taken for stuck; nothing watches with workers: 0',
  },
  workerHeap: { unit: 'size', default: '0', help: 'V8 heap limit of each worker; 0 = V8’s own' },
} as const;
