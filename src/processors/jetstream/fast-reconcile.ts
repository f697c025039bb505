/** Reads the end of a stream back to find out how much of a batch that the broker has forgotten was stored. */
import { createHash } from 'node:crypto';
import type { ReadBackRequest } from '../broker.ts';
import type { Doubt } from './fast-pending.ts';
import { storedPrefix } from './stored-prefix.ts';

/** With more than this behind the last known place, others write so much that contents tell nothing in useful time. */
const TAIL_MAX = 100_000;
const FAR_MS = 365 * 24 * 3_600_000;
const RETRY_MS = 250;
const READS_MAX = 20;

export interface Tail {
  /** Every sequence behind this one may hold a message in doubt; none up to it does. */
  readonly after: number;
  readonly lastSequence: () => Promise<number>;
  readonly readBack: (request: ReadBackRequest) => Promise<number>;
}

export interface Verdict {
  readonly stored: number;
  /** Of the last stored one; 0 = not known. */
  readonly sequence: number;
}

export interface Reading extends Tail {
  readonly stream: string;
  /** Nobody waits for the verdict any more. */
  readonly ended: () => boolean;
  /** Without a connection a read that fails does not count. */
  readonly up: () => boolean;
  readonly warning: (message: string) => void;
}

/** Reads until it succeeds, within reason. Null: all of them stay in doubt, and a warning says so. */
export async function findOut(doubt: readonly Doubt[], reading: Reading): Promise<Verdict | null> {
  const { stream, ended, up, warning } = reading;
  for (let read = 1; read <= READS_MAX && !ended();) {
    try {
      const verdict = await reconcile(doubt, reading);
      if (verdict === null && !ended())
        warning(`what stream ${stream} holds does not tell which of ${doubt.length} messages are stored: all are sent again`);
      return verdict;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (up()) read++;
    }
  }
  if (!ended()) warning(`stream ${stream} cannot be read back: ${doubt.length} messages that may be stored are sent again`);
  return null;
}

/** Null: it cannot be told. Throws when the stream cannot be read just now. */
async function reconcile(doubt: readonly Doubt[], { after, lastSequence, readBack }: Tail): Promise<Verdict | null> {
  const last = await lastSequence();
  if (last < after || last - after > TAIL_MAX) return null;
  const stored = new Array<string | null>(last - after).fill(null);
  if (stored.length > 0) {
    await readBack({
      fromSequence: after + 1,
      fromTimeMs: Date.now() + FAR_MS,
      headersOnly: false,
      message: ({ subject, payload, sequence }) => {
        const index = sequence - after - 1;
        if (index < stored.length) stored[index] = keyOf(subject, payload); // What comes later is of others: the batch is over.
      },
    });
  }
  const keys = doubt.map(({ subject, payload }) => keyOf(subject, payload));
  const prefix = storedPrefix(keys, stored);
  if (prefix === null) return null;
  return { stored: prefix, sequence: prefix === 0 ? 0 : after + stored.lastIndexOf(keys[prefix - 1]!) + 1 };
}

const keyOf = (subject: string, payload: Uint8Array): string =>
  createHash('sha256').update(subject).update('\0').update(payload).digest('base64');
