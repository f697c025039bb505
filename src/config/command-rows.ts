/** Rows of single calls (`ingest`, `consume`); env and config file give defaults for these too. */

export const ingestRows = {
  subject: { unit: 'text', default: 'events', value: 'SUBJECT', help: 'subject, or a template over fields: events.{type}' },
  format: {
    unit: 'choice',
    default: '',
    choices: ['ndjson', 'json', 'lines', 'csv', 'msgpack'],
    help: 'format of the input; without it, by the file’s extension, else ndjson',
  },
  gzip: { unit: 'choice', default: 'auto', choices: ['auto', 'yes', 'no'], help: 'is the input gzip? auto: when its name ends in .gz' },
  transform: {
    unit: 'text',
    default: '',
    value: 'FILE',
    help: 'module whose default export changes, drops or splits each event, in the workers',
  },
  schema: { unit: 'text', default: '', value: 'FILE', help: 'module whose default export is a Standard Schema to check each event with' },
  eventKey: {
    unit: 'text',
    default: '',
    check: 'pointer',
    kinds: ['kafka'],
    value: '/POINTER',
    help: 'field that is the Kafka record’s key',
  },
  checkpoint: { unit: 'text', default: 'off', value: 'FILE|off', help: 'file that remembers how far a source is done, to resume from' },
  maxRate: { unit: 'rate', default: '', min: 1, help: 'events per second at most' },
  limit: { unit: 'count', default: '', min: 1, help: 'stop after so many records' },
  dryRun: { unit: 'boolean', default: false, help: 'do everything but talk to the broker' },
} as const;

export const consumeRows = {
  subject: { unit: 'text', default: '', value: 'FILTER', help: 'subject filter, with the wildcards of the broker; without it, everything' },
  durable: { unit: 'text', default: '', value: 'NAME', help: 'keep the position under this name' },
  queue: { unit: 'text', default: '', value: 'NAME', help: 'share the work with the other readers of this name' },
  start: {
    unit: 'text',
    default: '',
    check: 'start',
    value: 'POSITION',
    help: 'new, all, last, seq:N, time:ISO or ago:5m; without it, all where history is kept, else new',
  },
  count: { unit: 'count', default: '', min: 1, help: 'end after so many events' },
  idleTimeout: { unit: 'time', default: '', min: 1, help: 'end when no event came for so long' },
  ackWait: { unit: 'time', default: '5s', min: 1, help: 'how long the broker waits for an ack; extended while a handler works' },
  maxInFlight: { unit: 'count', default: 1_000, min: 1, max: 1_048_576, help: 'events handed over and not yet settled, at most' },
  envelope: { unit: 'boolean', default: false, help: 'print subject, id, sequence, time, headers and event' },
  noAck: { unit: 'boolean', default: false, help: 'read without acknowledging' },
  handler: {
    unit: 'text',
    default: '',
    value: 'FILE',
    help: 'module whose default export handles each event, in the workers; nothing is printed',
  },
} as const;
