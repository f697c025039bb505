/** Every way a produce request can end badly: certainly not stored or possibly, worth another attempt or not, and our code. */
import type { ErrorCode } from '../../api/error-codes.ts';
import { MillraceError, messageOf } from '../../api/errors.ts';

/** What the publisher does about it. */
export type Step =
  /** The same records again, with the same sequence: the broker drops a second copy. */
  | 'again'
  /** Certainly not stored. */
  | 'refused'
  /** The request was too large as a whole: smaller ones may fit. */
  | 'split'
  /** The broker has lost or fenced the producer: a new one starts a new sequence. */
  | 'renew'
  /** The broker has them already. */
  | 'stored';

export interface RefusalRow {
  readonly id: string;
  readonly step: Step;
  /** May this answer mean that the records were stored? */
  readonly doubt: boolean;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly text: string;
}

interface Saying {
  readonly text: string;
  readonly doubt: boolean;
  readonly retryable: boolean;
}

const forGood = (text: string): Saying => ({ text, doubt: false, retryable: false });
const forNow = (text: string): Saying => ({ text, doubt: false, retryable: true });
const inDoubt = (text: string, retryable = true): Saying => ({ text, doubt: true, retryable });
const row = (id: string, step: Step, code: ErrorCode, saying: Saying): RefusalRow => ({ id, step, code, ...saying });

export const refusalTable: readonly RefusalRow[] = [
  row('MESSAGE_TOO_LARGE', 'split', 'MILLRACE_EVENT_TOO_LARGE', forGood('larger than the topic allows (max.message.bytes)')),
  row('RECORD_LIST_TOO_LARGE', 'split', 'MILLRACE_EVENT_TOO_LARGE', forGood('larger than the broker takes in one request')),
  row('UNKNOWN_TOPIC_OR_PARTITION', 'refused', 'MILLRACE_STREAM_MISSING', forNow('there is no such topic')),
  row('UNKNOWN_TOPIC_ID', 'refused', 'MILLRACE_STREAM_MISSING', forNow('the topic was replaced')),
  row('INVALID_TOPIC_EXCEPTION', 'refused', 'MILLRACE_CONFIG', forGood('not a topic name')),
  row('NOT_ENOUGH_REPLICAS', 'again', 'MILLRACE_BROKER_BUSY', forNow('fewer replicas in sync than min.insync.replicas')),
  row(
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'again',
    'MILLRACE_BROKER_BUSY',
    inDoubt('stored, but on fewer replicas than min.insync.replicas'),
  ),
  row('REQUEST_TIMED_OUT', 'again', 'MILLRACE_PUBLISH_TIMEOUT', inDoubt('the replicas did not confirm in time')),
  row('LEADER_NOT_AVAILABLE', 'again', 'MILLRACE_BROKER_BUSY', forNow('the partition has no leader just now')),
  row('NOT_LEADER_OR_FOLLOWER', 'again', 'MILLRACE_BROKER_BUSY', forNow('the partition has another leader now')),
  row('FENCED_LEADER_EPOCH', 'again', 'MILLRACE_BROKER_BUSY', forNow('the partition has another leader now')),
  row('KAFKA_STORAGE_ERROR', 'again', 'MILLRACE_BROKER_FULL', forNow("the broker's disk failed")),
  row('CORRUPT_MESSAGE', 'again', 'MILLRACE_BROKER', forNow('the request was damaged on its way')),
  row('THROTTLING_QUOTA_EXCEEDED', 'again', 'MILLRACE_BROKER_BUSY', forNow('over the quota')),
  row('NETWORK_EXCEPTION', 'again', 'MILLRACE_PUBLISH_UNKNOWN', inDoubt('the connection ended')),
  row('COORDINATOR_LOAD_IN_PROGRESS', 'again', 'MILLRACE_BROKER_BUSY', forNow('the broker is starting')),
  row('COORDINATOR_NOT_AVAILABLE', 'again', 'MILLRACE_BROKER_BUSY', forNow('the broker is starting')),
  row('DUPLICATE_SEQUENCE_NUMBER', 'stored', 'MILLRACE_BROKER', forGood('the broker has it already')),
  row('OUT_OF_ORDER_SEQUENCE_NUMBER', 'renew', 'MILLRACE_BROKER', forNow('the broker does not know what came before')),
  row('UNKNOWN_PRODUCER_ID', 'renew', 'MILLRACE_BROKER', forNow('the broker has forgotten the producer')),
  row('INVALID_PRODUCER_EPOCH', 'renew', 'MILLRACE_BROKER', forNow('the producer was fenced')),
  row('PRODUCER_FENCED', 'renew', 'MILLRACE_BROKER', forNow('the producer was fenced')),
  row('INVALID_RECORD', 'refused', 'MILLRACE_BROKER', forGood('the broker does not accept the record')),
  row('POLICY_VIOLATION', 'refused', 'MILLRACE_BROKER', forGood("against the broker's policy")),
  row('UNSUPPORTED_COMPRESSION_TYPE', 'refused', 'MILLRACE_CONFIG', forGood('the broker does not know this compression')),
  row('TOPIC_AUTHORIZATION_FAILED', 'refused', 'MILLRACE_AUTH', forGood('writing to the topic is not permitted')),
  row('CLUSTER_AUTHORIZATION_FAILED', 'refused', 'MILLRACE_AUTH', forGood('idempotent writing is not permitted')),
  row('SASL_AUTHENTICATION_FAILED', 'refused', 'MILLRACE_AUTH', forGood('the credentials were refused')),
];

const unreachable = row('', 'again', 'MILLRACE_CONNECT', forNow('the broker cannot be reached'));
const cut = row('', 'again', 'MILLRACE_PUBLISH_UNKNOWN', inDoubt('the connection ended before the answer'));
const unanswered = row('', 'again', 'MILLRACE_PUBLISH_TIMEOUT', inDoubt('no answer'));
const missing = row('', 'refused', 'MILLRACE_STREAM_MISSING', forNow('there is no such topic'));
const refusedLogin = row('', 'refused', 'MILLRACE_AUTH', forGood('the credentials were refused'));
/** What no row names may have been stored, and is not tried again. */
const unnamed = row('', 'refused', 'MILLRACE_BROKER', inDoubt('the broker refused it', false));

/** The library nests what happened: the error itself, then its parts and causes. */
function* partsOf(error: unknown, depth = 0): Generator<{ readonly apiId?: string; readonly code?: string; readonly message: string }> {
  if (!(error instanceof Error) || depth > 8) return;
  yield error;
  for (const part of (error as { errors?: readonly unknown[] }).errors ?? []) yield* partsOf(part, depth + 1);
  yield* partsOf(error.cause, depth + 1);
}

export function refusalOf(error: unknown): RefusalRow {
  const parts = [...partsOf(error)];
  for (const { apiId } of parts) {
    const named = refusalTable.find(({ id }) => id === apiId);
    if (named !== undefined) return named;
  }
  const says = (pattern: RegExp): boolean => parts.some(({ message }) => pattern.test(message));
  if (parts.some(({ code }) => code === 'PLT_KFK_AUTHENTICATION')) return refusedLogin;
  if (says(/^Unknown topic /)) return missing;
  if (says(/request timed out/i)) return unanswered;
  if (says(/Connection to .* (failed|timed out)|Cannot connect to any broker|ready timed out|waiting for ready/i)) return unreachable;
  if (parts.some(({ code }) => code === 'PLT_KFK_NETWORK') || says(/ECONNRESET|EPIPE|closed/i)) return cut;
  return unnamed;
}

export interface Place {
  readonly subject: string;
  readonly stream: string;
  readonly partition: number;
}

export function refusalError(
  refusal: RefusalRow,
  place: Place,
  more: { readonly doubt: boolean; readonly cause?: unknown },
): MillraceError {
  const said = more.cause === undefined ? '' : ` (${refusal.id === '' ? messageOf(more.cause) : refusal.id})`;
  const code = more.doubt ? 'MILLRACE_PUBLISH_UNKNOWN' : refusal.code;
  return new MillraceError(code, `${place.subject} to topic ${place.stream}: ${refusal.text}${said}`, {
    outcome: more.doubt ? 'unknown' : 'failed',
    retryable: more.doubt || refusal.retryable,
    cause: more.cause,
    context: { ...place, processor: 'kafka' },
  });
}

export function deadlineError(place: Place, timeoutMs: number, last: RefusalRow | null, doubt: boolean): MillraceError {
  const why = last === null ? '' : `: ${last.text}`;
  const code = doubt ? 'MILLRACE_PUBLISH_TIMEOUT' : (last?.code ?? 'MILLRACE_PUBLISH_TIMEOUT');
  return new MillraceError(code, `${place.subject} to topic ${place.stream} was not acked within ${timeoutMs} ms${why}`, {
    outcome: doubt ? 'unknown' : 'failed',
    retryable: true,
    context: { ...place, processor: 'kafka' },
  });
}

export const tooLargeError = (place: Omit<Place, 'partition'>, bytes: number, bytesMax: number): MillraceError =>
  new MillraceError('MILLRACE_EVENT_TOO_LARGE', `${bytes} B for ${place.subject} > ${bytesMax} B, the topic's max.message.bytes`, {
    context: { ...place, processor: 'kafka' },
  });
