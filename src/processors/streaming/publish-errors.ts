/** Every way a STAN publish can be refused, and what it means: certainly not stored or possibly, worth a retry or not, and our code. */
import type { ErrorCode } from '../../api/error-codes.ts';
import { MillraceError } from '../../api/errors.ts';
import type { FailureOutcome } from '../../api/errors.ts';

interface RefusalRow {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly outcome: FailureOutcome;
  readonly retryable: boolean;
  readonly text: string;
  /** The session is of no use any more. */
  readonly ends?: true;
}

/** Matched against what the library or the server said; the first that fits counts. */
export const refusalTable: readonly RefusalRow[] = [
  { pattern: /publish ack timeout/i, code: 'MILLRACE_PUBLISH_TIMEOUT', outcome: 'unknown', retryable: true, text: 'no ack in time' },
  {
    pattern: /connection closed/i,
    code: 'MILLRACE_PUBLISH_UNKNOWN',
    outcome: 'unknown',
    retryable: true,
    text: 'the session ended before the ack',
  },
  // The server knows neither client nor session, for one after a restart without its store: nothing was stored, a new session heals it.
  {
    pattern: /invalid publish request|unknown client/i,
    code: 'MILLRACE_BROKER',
    outcome: 'failed',
    retryable: true,
    text: 'the server does not know this session',
    ends: true,
  },
  {
    pattern: /too many channels/i,
    code: 'MILLRACE_BROKER_FULL',
    outcome: 'failed',
    retryable: false,
    text: 'the server takes no more channels (max_channels)',
  },
  {
    pattern: /too many (?:messages|bytes)|store is full|limit/i,
    code: 'MILLRACE_BROKER_FULL',
    outcome: 'failed',
    retryable: true,
    text: 'the channel is at its limit',
  },
  {
    pattern: /invalid subject|invalid channel/i,
    code: 'MILLRACE_SUBJECT_INVALID',
    outcome: 'failed',
    retryable: false,
    text: 'not a channel name',
  },
  { pattern: /permission/i, code: 'MILLRACE_AUTH', outcome: 'failed', retryable: false, text: 'not permitted' },
];

/** What no row names may have been stored: the server answers after it has tried. */
const unnamed: RefusalRow = { pattern: /$/, code: 'MILLRACE_BROKER', outcome: 'unknown', retryable: true, text: 'the server refused it' };

export interface Refusal {
  readonly outcome: FailureOutcome;
  readonly error: MillraceError;
  readonly endsSession: boolean;
}

export function refusalOf(said: string, subject: string): Refusal {
  const { code, outcome, retryable, text, ends } = refusalTable.find(({ pattern }) => pattern.test(said)) ?? unnamed;
  const error = new MillraceError(code, `${subject}: ${text}: ${said}`, {
    outcome,
    retryable,
    context: { processor: 'streaming', subject },
  });
  return { outcome, error, endsSession: ends === true };
}

export const lostError = (subject: string): MillraceError =>
  new MillraceError('MILLRACE_PUBLISH_UNKNOWN', `the session ended before the ack for ${subject}`, {
    outcome: 'unknown',
    context: { processor: 'streaming', subject },
  });

const NOT_ASCII = /[^\0-\x7f]/;

/** Null when the channel can be named. The library counts a subject's characters where the wire counts bytes, and writes past its buffer. */
export const channelFault = (subject: string): MillraceError | null =>
  NOT_ASCII.test(subject)
    ? new MillraceError('MILLRACE_SUBJECT_INVALID', `subject ${JSON.stringify(subject)}: NATS Streaming takes ASCII only`, {
        context: { processor: 'streaming', subject },
      })
    : null;

export const tooLargeError = (subject: string, bytes: number, bytesMax: number): MillraceError =>
  new MillraceError(
    'MILLRACE_EVENT_TOO_LARGE',
    `${bytes} B for ${subject} > ${bytesMax} B, the server's max_payload less the protocol's own bytes`,
    {
      context: { processor: 'streaming', subject },
    },
  );
