/** A broker on a folder of its own, with what a test of it needs: publishing with outcomes, and reading into a list. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { ResolvedOptions } from '../../../src/config/resolved.ts';
import type { BrokerReader, ConsumeRequest, OutboundMessage } from '../../../src/processors/broker.ts';
import type { EmbeddedBroker } from '../../../src/processors/embedded/embedded-broker.ts';
import { createEmbeddedBroker } from '../../../src/processors/embedded/embedded-broker.ts';
import { closeStore, openStore } from '../../../src/processors/embedded/store.ts';

export type StoreLimits = Pick<
  ResolvedOptions,
  'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs' | 'maxAgeMs' | 'maxBytes' | 'maxMessages'
>;

const limits: StoreLimits = {
  maxInFlightBytes: 8 * 1_048_576,
  maxInFlightMessages: 4_096,
  publishTimeoutMs: 10_000,
  maxAgeMs: 0,
  maxBytes: 0,
  maxMessages: 0,
};

export type Outcome = { readonly sequence: number } | { readonly error: MillraceError };

export interface Rig {
  readonly broker: EmbeddedBroker;
  /** Resolves with the outcome; waits for credit. */
  readonly publish: (message: Partial<OutboundMessage> & { readonly memory: Uint8Array }) => Promise<Outcome>;
  /** Text to a subject; resolves with its sequence. */
  readonly say: (subject: string, text: string) => Promise<number>;
}

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'millrace-store-'));
export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);

export async function openRig(path: string, changed: Partial<StoreLimits> = {}): Promise<Rig> {
  const broker = createEmbeddedBroker({ ...limits, ...changed, path } as ResolvedOptions);
  const waiting = new Map<number, (outcome: Outcome) => void>();
  const writable: (() => void)[] = [];
  let token = 0;
  const settle = (key: number, outcome: Outcome): void => {
    waiting.get(key)!(outcome); // throws on an outcome nobody asked for, or a second one
    waiting.delete(key);
  };
  await broker.open({
    acked: (key, sequence) => settle(key, { sequence }),
    failed: (key, error) => settle(key, { error }),
    unknown: (key, error) => settle(key, { error }),
    writable: () => writable.splice(0).forEach((resolve) => resolve()),
    state: () => undefined,
    warning: () => undefined,
  });
  const publish: Rig['publish'] = async (partial) => {
    const { memory } = partial;
    const message: OutboundMessage = { subject: 's', start: 0, payloadStart: 0, end: memory.length, count: 1, ...partial };
    const key = token++;
    const outcome = new Promise<Outcome>((resolve) => waiting.set(key, resolve));
    while (!broker.tryPublish(message, key)) await new Promise<void>((resolve) => writable.push(resolve));
    return outcome;
  };
  const say = async (subject: string, text: string): Promise<number> => {
    const outcome = await publish({ subject, memory: Buffer.from(text) });
    if ('error' in outcome) throw outcome.error;
    return outcome.sequence;
  };
  return { broker, publish, say };
}

export interface Read {
  readonly subject: string;
  readonly text: string;
  readonly hash: string;
  readonly sequence: number;
  readonly redeliveries: number;
  readonly timeMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly handle: unknown;
}

export interface Reading {
  readonly reader: BrokerReader;
  readonly got: Read[];
  readonly ended: (MillraceError | null)[];
}

const request: ConsumeRequest = {
  filter: '>',
  durable: '',
  queue: '',
  start: { kind: 'all' },
  maxInFlight: 1_000,
  ackWaitMs: 5_000,
  noAck: false,
  confirmAcks: false,
};

/** Acks by itself unless `onMessage` is given. */
export async function read(
  broker: EmbeddedBroker,
  changed: Partial<ConsumeRequest> = {},
  onMessage?: (message: Read, reader: BrokerReader) => void,
): Promise<Reading> {
  const got: Read[] = [];
  const ended: (MillraceError | null)[] = [];
  const reader: BrokerReader = await broker.consume(
    { ...request, ...changed },
    {
      message(message) {
        const { subject, payload, sequence, redeliveries, timeMs, handle } = message;
        const copy = {
          subject,
          text: Buffer.from(payload).toString(),
          hash: hashOf(payload),
          sequence,
          redeliveries,
          timeMs,
          handle,
          headers: { ...message.headers() },
        };
        got.push(copy);
        if (onMessage === undefined) reader.ack(handle);
        else onMessage(copy, reader);
      },
      ended: (error) => void ended.push(error),
    },
  );
  return { reader, got, ended };
}

/** The error of work that must fail. */
export const faultOf = (work: Promise<unknown>): Promise<MillraceError> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as MillraceError,
  );

/** A store at `path`, changed behind the broker's back. */
export async function makeStore(path: string, change: (store: ReturnType<typeof openStore>) => void): Promise<void> {
  const store = openStore(path, { create: true, doing: 'open' });
  change(store);
  await closeStore(store);
}
