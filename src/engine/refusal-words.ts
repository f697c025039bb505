/** What is said of a record that a worker refused. */
import type { ErrorCode } from '../api/error-codes.ts';
import type { RejectReason } from '../api/reject-reasons.ts';

/** The error code and the plain words of each reason that a worker gives. */
export const refusalWords: Readonly<Partial<Record<RejectReason, readonly [ErrorCode, string]>>> = {
  invalid_json: ['MILLRACE_RECORD_INVALID', 'not valid JSON'],
  invalid_utf8: ['MILLRACE_RECORD_INVALID', 'not valid UTF-8'],
  invalid_msgpack: ['MILLRACE_RECORD_INVALID', 'not valid msgpack'],
  invalid_csv: ['MILLRACE_RECORD_INVALID', 'not a valid CSV row for this header'],
  truncated: ['MILLRACE_RECORD_INVALID', 'the record ends too early'],
  too_long: ['MILLRACE_RECORD_TOO_LONG', 'the record is longer than maxEventBytes'],
  too_large: ['MILLRACE_EVENT_TOO_LARGE', 'the event is too large'],
  too_deep: ['MILLRACE_RECORD_INVALID', 'nested deeper than 512 levels'],
  integer_range: ['MILLRACE_RECORD_INVALID', 'an integer is outside 64 bits'],
  number_range: ['MILLRACE_RECORD_INVALID', 'a number is outside the range of a double'],
  lone_surrogate: ['MILLRACE_RECORD_INVALID', 'an escape is half a surrogate pair'],
  proto_key: ['MILLRACE_RECORD_INVALID', 'a key is __proto__'],
  missing_id: ['MILLRACE_EVENT_INVALID', 'the event has no value where the id is'],
  invalid_id: ['MILLRACE_EVENT_INVALID', 'the id is empty, too long (256 bytes) or not a text, number or boolean'],
  missing_field: ['MILLRACE_SUBJECT_INVALID', 'a field of the subject is missing, or not a text, number or boolean'],
  invalid_subject: ['MILLRACE_SUBJECT_INVALID', 'the fields make no valid subject (no spaces, wildcards, line breaks or empty tokens)'],
  transform: ['MILLRACE_TRANSFORM', 'the transform failed'],
  validation: ['MILLRACE_VALIDATION', 'the event does not match the schema'],
  worker_crash: ['MILLRACE_WORKER_CRASHED', 'the worker died on this event'],
};
