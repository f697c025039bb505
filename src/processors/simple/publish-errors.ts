/** The ways a publish to core NATS can end badly: each with its code, and whether the server may have taken the message. */
import { MillraceError } from '../../api/errors.ts';

const context = (subject: string): { readonly processor: 'simple'; readonly subject: string } => ({ processor: 'simple', subject });

export const timeoutError = (subject: string, timeoutMs: number): MillraceError =>
  new MillraceError('MILLRACE_PUBLISH_TIMEOUT', `the server did not confirm ${subject} within ${timeoutMs} ms`, {
    outcome: 'unknown',
    context: context(subject),
  });

export const disconnectError = (subject: string): MillraceError =>
  new MillraceError('MILLRACE_PUBLISH_UNKNOWN', `the connection ended before the server confirmed ${subject}`, {
    outcome: 'unknown',
    context: context(subject),
  });

export const forbiddenError = (subject: string): MillraceError =>
  new MillraceError('MILLRACE_AUTH', `the server does not permit publishing to ${subject}`, { context: context(subject) });

export const tooLargeError = (subject: string, bytes: number, bytesMax: number): MillraceError =>
  new MillraceError('MILLRACE_EVENT_TOO_LARGE', `${bytes} B for ${subject} > ${bytesMax} B, the server's max_payload`, {
    context: context(subject),
  });

export const subjectTooLongError = (bytesMax: number): MillraceError =>
  new MillraceError('MILLRACE_SUBJECT_INVALID', `the subject is longer than ${bytesMax} B`, { context: { processor: 'simple' } });
