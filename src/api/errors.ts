/** One error class for everything that can go wrong: a stable code, whether to retry, and what became of the event. */
import type { ErrorCode } from './error-codes.ts';
import { errorTable } from './error-codes.ts';

/** What is known of an event whose publish did not succeed: certainly not stored, or possibly stored. */
export type FailureOutcome = 'failed' | 'unknown';

/** Where it happened. Every member is optional: an error names what it knows. */
export interface ErrorContext {
  readonly processor?: string;
  readonly subject?: string;
  readonly stream?: string;
  readonly batch?: string;
  readonly file?: string;
  readonly line?: number;
  readonly byteOffset?: number;
  readonly option?: string;
  readonly [key: string]: unknown;
}

export interface MillraceErrorOptions {
  readonly retryable?: boolean;
  readonly outcome?: FailureOutcome;
  readonly cause?: unknown;
  readonly context?: ErrorContext;
}

/**
 * The only error class of Millrace. `code` is stable across minor versions; `message` is for people.
 * `retryable` and `outcome` default to what the table of codes says.
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly outcome: FailureOutcome;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? errorTable[code].retryable;
    this.outcome = options.outcome ?? 'failed';
    this.context = options.context ?? {};
  }
}

/** Wraps anything thrown into a MillraceError; one that already is comes back unchanged. */
export function wrapError(code: ErrorCode, thrown: unknown, options: MillraceErrorOptions = {}): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  return new MillraceError(code, messageOf(thrown), { ...options, cause: thrown });
}

/** The message of anything thrown, bounded: a thrown value is user data and may be huge. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.length > MESSAGE_CHARS_MAX ? `${text.slice(0, MESSAGE_CHARS_MAX)}…` : text;
}

const MESSAGE_CHARS_MAX = 1_000;
