/** Every way a JetStream publish can be refused, and what it means: certainly not stored or possibly, worth a retry or not, and our code. */
import type { ErrorCode } from '../../api/error-codes.ts';
import { MillraceError } from '../../api/errors.ts';
import type { FailureOutcome } from '../../api/errors.ts';

export interface RefusalRow {
  /** The broker's `err_code`, or 0 for a plain status. */
  readonly code: number;
  readonly status: number;
  readonly millrace: ErrorCode;
  readonly outcome: FailureOutcome;
  readonly retryable: boolean;
  /** Should the window shrink? */
  readonly slowDown: boolean;
  readonly text: string;
}

type Verdict = Pick<RefusalRow, 'outcome' | 'retryable' | 'slowDown'>;

const retry: Verdict = { outcome: 'failed', retryable: true, slowDown: false };
const slower: Verdict = { outcome: 'failed', retryable: true, slowDown: true };
const never: Verdict = { outcome: 'failed', retryable: false, slowDown: false };
const inDoubt: Verdict = { outcome: 'unknown', retryable: true, slowDown: false };

const row = ([status, code]: readonly [number, number], verdict: Verdict, millrace: ErrorCode, text: string): RefusalRow => ({
  status,
  code,
  millrace,
  text,
  ...verdict,
});

/** The first row whose code matches (or, for code 0, whose status matches) counts. */
export const refusalTable: readonly RefusalRow[] = [
  row([503, 10_008], retry, 'MILLRACE_BROKER_BUSY', 'JetStream is not available just now'),
  row([503, 10_023], slower, 'MILLRACE_BROKER_FULL', 'the server has no resources left for it'),
  row([500, 10_047], retry, 'MILLRACE_BROKER_FULL', 'the server has no storage left for it'),
  row([503, 10_077], retry, 'MILLRACE_BROKER_FULL', 'the stream is at its limit and takes nothing new'),
  row([400, 10_054], never, 'MILLRACE_EVENT_TOO_LARGE', 'the message is larger than the stream allows'),
  row([400, 10_002], never, 'MILLRACE_BROKER_FULL', 'the account is at its limit'),
  row([400, 10_070], never, 'MILLRACE_BROKER', 'the last message id is not the one expected'),
  row([400, 10_071], never, 'MILLRACE_BROKER', 'the last sequence is not the one expected'),
  row([409, 10_158], inDoubt, 'MILLRACE_PUBLISH_UNKNOWN', 'a copy with the same id is still being stored'),
  row([429, 10_167], slower, 'MILLRACE_BROKER_BUSY', 'the stream has more waiting than it can take'),
  row([503, 10_039], retry, 'MILLRACE_BROKER', 'JetStream is not enabled for the account'),
  row([503, 10_076], retry, 'MILLRACE_BROKER', 'JetStream is not enabled on the server'),
  row([404, 10_059], retry, 'MILLRACE_STREAM_MISSING', 'there is no such stream'),
  row([400, 10_060], never, 'MILLRACE_BROKER', 'the stream is not the one expected'),
  row([503, 0], retry, 'MILLRACE_STREAM_MISSING', 'no stream takes the subject'),
  row([429, 0], slower, 'MILLRACE_BROKER_BUSY', 'the broker asks to slow down'),
  row([408, 0], inDoubt, 'MILLRACE_PUBLISH_TIMEOUT', 'the broker timed out'),
];

/** A refusal that no row names: server faults may pass, faults of the request do not. */
const unnamed = (status: number): RefusalRow =>
  row([status, 0], status >= 500 ? retry : never, 'MILLRACE_BROKER', 'the broker refused the message');

export function refusalOf(status: number, code: number): RefusalRow {
  const byCode = code === 0 ? undefined : refusalTable.find((candidate) => candidate.code === code);
  if (byCode !== undefined) return byCode;
  return (
    (code === 0 ? refusalTable.find((candidate) => candidate.code === 0 && candidate.status === status) : undefined) ?? unnamed(status)
  );
}

export interface Place {
  readonly subject: string;
  readonly stream: string;
}

export function refusalError(
  refusal: RefusalRow,
  described: { readonly code: number; readonly description: string },
  place: Place,
): MillraceError {
  const said = described.description === '' ? '' : `: ${described.description}`;
  const number = described.code === 0 ? '' : ` (${described.code})`;
  return new MillraceError(refusal.millrace, `${place.stream} refused ${place.subject}: ${refusal.text}${said}${number}`, {
    retryable: refusal.retryable,
    outcome: refusal.outcome,
    context: { ...place, processor: 'jetstream', status: refusal.status, brokerCode: described.code },
  });
}

export const timeoutError = (place: Place, timeoutMs: number): MillraceError =>
  new MillraceError('MILLRACE_PUBLISH_TIMEOUT', `no answer for ${place.subject} within ${timeoutMs} ms`, {
    retryable: true,
    outcome: 'unknown',
    context: { ...place },
  });

export const disconnectError = (place: Place): MillraceError =>
  new MillraceError('MILLRACE_PUBLISH_UNKNOWN', `the connection ended before the answer for ${place.subject}`, {
    retryable: true,
    outcome: 'unknown',
    context: { ...place },
  });

export const forbiddenError = (place: Place): MillraceError =>
  new MillraceError('MILLRACE_AUTH', `the broker does not permit publishing to ${place.subject}`, {
    retryable: false,
    outcome: 'failed',
    context: { ...place },
  });

export const tooLargeError = (place: Place, bytes: number, bytesMax: number): MillraceError =>
  new MillraceError('MILLRACE_EVENT_TOO_LARGE', `${bytes} B for ${place.subject} > ${bytesMax} B, the server's max_payload`, {
    context: { ...place },
  });

export const subjectTooLongError = (place: Place, bytesMax: number): MillraceError =>
  new MillraceError('MILLRACE_SUBJECT_INVALID', `the subject is longer than ${bytesMax} B`, { context: { stream: place.stream } });

export const unreadableError = (place: Place): MillraceError =>
  new MillraceError('MILLRACE_PUBLISH_UNKNOWN', `the broker's answer for ${place.subject} cannot be read`, {
    retryable: true,
    outcome: 'unknown',
    context: { ...place },
  });
