/** Tells what became of the messages that a fast ingest batch had not acked when it ended: each exactly once, oldest first. */
import type { PublishListener } from '../broker.ts';
import type { FastPending } from './fast-pending.ts';
import type { Verdict } from './fast-reconcile.ts';
import { BATCH_DISABLED } from './fast-wire.ts';
import type { PubRefusal } from './pub-ack.ts';
import * as errors from './publish-errors.ts';

export interface Refused {
  /** Sequence in the batch. */
  readonly of: number;
  readonly refusal: PubRefusal;
}

export interface Ending {
  readonly stream: string;
  /** Holds what is in doubt, and nothing afterwards. */
  readonly pending: FastPending;
  /** Null: nothing is known of them. */
  readonly verdict: Verdict | null;
  readonly refused: Refused | null;
}

export function reportEnding(listener: PublishListener, { stream, pending, verdict, refused }: Ending): void {
  const first = pending.acked + 1;
  const doubt = pending.reset(); // Before the first is told: a listener may publish at once.
  const stored = verdict?.stored ?? 0;
  for (const [index, { token, subject }] of doubt.entries()) {
    const place = { subject, stream };
    if (index < stored) listener.acked(token, index === stored - 1 ? verdict!.sequence : 0, false);
    else if (refused?.of === first + index) listener.failed(token, refusedError(refused.refusal, place));
    else listener.unknown(token, errors.disconnectError(place));
  }
}

/** Where only the way was refused, the message is tried again by the other. */
function refusedError(refusal: PubRefusal, place: errors.Place): ReturnType<typeof errors.refusalError> {
  const row = errors.refusalOf(refusal.status, refusal.code);
  return errors.refusalError(BATCH_DISABLED.has(refusal.code) ? { ...row, retryable: true } : row, refusal, place);
}

export const offWarning = (stream: string, why: string): string =>
  `stream ${stream} refuses fast ingest, each message is acked alone from here on, and one without an id may be stored twice when a connection is lost: ${why}`;
