/** The exit codes of every command, in one place: scripts rely on them. */
import type { ErrorCode } from '../api/error-codes.ts';
import type { Ledger } from '../api/report.ts';

export const exitCodes = {
  ok: 0,
  usage: 1,
  /** Finished, but some events were rejected or failed. */
  someFailed: 2,
  /** Broker unreachable, or given up on. */
  broker: 3,
  /** A source cannot be read. */
  source: 4,
  /** Stopped before all was settled. */
  unsettled: 5,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

const { usage, broker, source, unsettled } = exitCodes;

const byError: Readonly<Record<ErrorCode, number>> = {
  MILLRACE_CONFIG: usage,
  MILLRACE_USAGE: usage,
  MILLRACE_NOT_SUPPORTED: usage,
  MILLRACE_MISSING_PACKAGE: usage,
  MILLRACE_CONNECT: broker,
  MILLRACE_CONNECTION_LOST: broker,
  MILLRACE_AUTH: broker,
  MILLRACE_TLS: broker,
  MILLRACE_STREAM_MISSING: usage,
  MILLRACE_STREAM_MISMATCH: usage,
  MILLRACE_SUBJECT_NOT_IN_STREAM: usage,
  MILLRACE_SUBJECT_INVALID: usage,
  MILLRACE_HEADER_INVALID: usage,
  MILLRACE_EVENT_TOO_LARGE: usage,
  MILLRACE_EVENT_INVALID: usage,
  MILLRACE_FULL: broker,
  MILLRACE_BROKER_FULL: broker,
  MILLRACE_BROKER_BUSY: broker,
  MILLRACE_BROKER: broker,
  MILLRACE_PUBLISH_TIMEOUT: broker,
  MILLRACE_PUBLISH_UNKNOWN: broker,
  MILLRACE_RETRY_BUDGET: broker,
  MILLRACE_SOURCE: source,
  MILLRACE_SOURCE_CHANGED: source,
  MILLRACE_RECORD_INVALID: source,
  MILLRACE_RECORD_TOO_LONG: source,
  MILLRACE_TRANSFORM: usage,
  MILLRACE_WORKER_CRASHED: usage,
  MILLRACE_VALIDATION: usage,
  MILLRACE_CHECKPOINT: usage,
  MILLRACE_DEAD_LETTERS: usage,
  MILLRACE_STORE: broker,
  MILLRACE_DECODE: usage,
  MILLRACE_ABORTED: unsettled,
  MILLRACE_DRAIN_TIMEOUT: unsettled,
  MILLRACE_CLOSED: usage,
  MILLRACE_INTERNAL: usage,
};

export function exitCodeOf(code: ErrorCode): number {
  return byError[code];
}

/** Of a run that came to its end by itself. */
export function exitCodeOfLedger(ledger: Ledger): number {
  if (ledger.inFlight > 0) return exitCodes.unsettled;
  return ledger.rejected > 0 || ledger.failed > 0 ? exitCodes.someFailed : exitCodes.ok;
}
