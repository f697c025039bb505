/** Rows for what is on its way to the broker: how much, how long, how often, and what becomes of the rest. */

export const deliveryRows = {
  maxInFlightBytes: {
    unit: 'size',
    default: '16MiB',
    min: 65_536,
    max: 2_147_483_648,
    help: 'bytes published and not yet acknowledged, at most',
  },
  maxInFlightMessages: { unit: 'count', default: 4_096, min: 1, max: 65_536, help: 'messages published and not yet acknowledged, at most' },
  publishTimeout: {
    unit: 'time',
    default: '5s',
    min: 10,
    max: 600_000,
    help: 'longest wait for the broker’s answer before a message is published again',
  },
  maxAttempts: { unit: 'count', default: 10, min: 1, max: 1_000_000, help: 'attempts for each batch, the first included' },
  backoff: {
    unit: 'time',
    default: '100ms',
    min: 1,
    max: 60_000,
    help: 'first wait before another attempt, doubled with jitter each time',
  },
  backoffMax: { unit: 'time', default: '5s', min: 1, max: 600_000, help: 'longest wait before another attempt' },
  resendUnknown: {
    unit: 'boolean',
    default: false,
    kinds: ['simple'],
    help: 'publish again what was on the wire at a disconnect; the other kinds always do',
  },
  drainTimeout: { unit: 'time', default: '30s', min: 1, max: 86_400_000, help: 'longest time a drain may take' },
  deadLetters: {
    unit: 'text',
    default: 'millrace-dead-letters',
    value: 'FOLDER|URL|off',
    help: 'folder for rejects and failures, made at the first one, URL of a broker that keeps them, or off',
  },
} as const;
