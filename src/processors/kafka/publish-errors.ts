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

const row = (id: string, step: Step, code: ErrorCode, text: string, more: { readonly doubt?: boolean; readonly retryable?: boolean } = {}): RefusalRow => ({
  id, step, code, text, doubt: more.doubt ?? false, retryable: more.retryable ?? false,
});

const passing = { retryable: true };

export const refusalTable: readonly RefusalRow[] = [
  row('MESSAGE_TOO_LARGE', 'split', 'MILLRACE_EVENT_TOO_LARGE', 'larger than the topic allows (max.message.bytes)'),
  row('RECORD_LIST_TOO_LARGE', 'split', 'MILLRACE_EVENT_TOO_LARGE', 'larger than the broker takes in one request'),
  row('UNKNOWN_TOPIC_OR_PARTITION', 'refused', 'MILLRACE_STREAM_MISSING', 'there is no such topic', passing),
  row('UNKNOWN_TOPIC_ID', 'refused', 'MILLRACE_STREAM_MISSING', 'the topic was replaced', passing),
  row('INVALID_TOPIC_EXCEPTION', 'refused', 'MILLRACE_CONFIG', 'not a topic name'),
  row('NOT_ENOUGH_REPLICAS', 'refused', 'MILLRACE_BROKER_BUSY', 'fewer replicas in sync than min.insync.replicas', passing),
  row('NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'again', 'MILLRACE_BROKER_BUSY', 'stored, but on fewer replicas than min.insync.replicas', { doubt: true, retryable: true }),
  row('REQUEST_TIMED_OUT', 'again', 'MILLRACE_PUBLISH_TIMEOUT', 'the replicas did not confirm in time', { doubt: true, retryable: true }),
  row('LEADER_NOT_AVAILABLE', 'again', 'MILLRACE_BROKER_BUSY', 'the partition has no leader just now', passing),
  row('NOT_LEADER_OR_FOLLOWER', 'again', 'MILLRACE_BROKER_BUSY', 'the partition has another leader now', passing),
  row('FENCED_LEADER_EPOCH', 'again', 'MILLRACE_BROKER_BUSY', 'the partition has another leader now', passing),
  row('KAFKA_STORAGE_ERROR', 'again', 'MILLRACE_BROKER_FULL', "the broker's disk failed", passing),
  row('CORRUPT_MESSAGE', 'again', 'MILLRACE_BROKER', 'the request was damaged on its way', passing),
  row('THROTTLING_QUOTA_EXCEEDED', 'again', 'MILLRACE_BROKER_BUSY', 'over the quota', passing),
  row('NETWORK_EXCEPTION', 'again', 'MILLRACE_PUBLISH_UNKNOWN', 'the connection ended', { doubt: true, retryable: true }),
  row('COORDINATOR_LOAD_IN_PROGRESS', 'again', 'MILLRACE_BROKER_BUSY', 'the broker is starting', passing),
  row('COORDINATOR_NOT_AVAILABLE', 'again', 'MILLRACE_BROKER_BUSY', 'the broker is starting', passing),
  row('DUPLICATE_SEQUENCE_NUMBER', 'stored', 'MILLRACE_BROKER', 'the broker has it already'),
  row('OUT_OF_ORDER_SEQUENCE_NUMBER', 'renew', 'MILLRACE_BROKER', 'the broker does not know what came before', passing),
  row('UNKNOWN_PRODUCER_ID', 'renew', 'MILLRACE_BROKER', 'the broker has forgotten the producer', passing),
  row('INVALID_PRODUCER_EPOCH', 'renew', 'MILLRACE_BROKER', 'the producer was fenced', passing),
  row('PRODUCER_FENCED', 'renew', 'MILLRACE_BROKER', 'the producer was fenced', passing),
  row('INVALID_RECORD', 'refused', 'MILLRACE_BROKER', 'the broker does not accept the record'),
  row('POLICY_VIOLATION', 'refused', 'MILLRACE_BROKER', "against the broker's policy"),
  row('UNSUPPORTED_COMPRESSION_TYPE', 'refused', 'MILLRACE_CONFIG', 'the broker does not know this compression'),
  row('TOPIC_AUTHORIZATION_FAILED', 'refused', 'MILLRACE_AUTH', 'writing to the topic is not permitted'),
  row('CLUSTER_AUTHORIZATION_FAILED', 'refused', 'MILLRACE_AUTH', 'idempotent writing is not permitted'),
  row('SASL_AUTHENTICATION_FAILED', 'refused', 'MILLRACE_AUTH', 'the credentials were refused'),
];

const unreachable = row('', 'again', 'MILLRACE_CONNECT', 'the broker cannot be reached', passing);
const cut = row('', 'again', 'MILLRACE_PUBLISH_UNKNOWN', 'the connection ended before the answer', { doubt: true, retryable: true });
const unanswered = row('', 'again', 'MILLRACE_PUBLISH_TIMEOUT', 'no answer', { doubt: true, retryable: true });
const missing = row('', 'refused', 'MILLRACE_STREAM_MISSING', 'there is no such topic', passing);
const refusedLogin = row('', 'refused', 'MILLRACE_AUTH', 'the credentials were refused');
/** What no row names may have been stored, and is not tried again. */
const unnamed = row('', 'refused', 'MILLRACE_BROKER', 'the broker refused it', { doubt: true });

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

export function refusalError(refusal: RefusalRow, place: Place, more: { readonly doubt: boolean; readonly cause?: unknown }): MillraceError {
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
