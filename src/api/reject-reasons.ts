/** Why a record or an event was refused: numbers for shared memory, names for dead letters and metrics, never renumbered. */

export const rejectReasons = [
  'none',
  'invalid_json',
  'invalid_utf8',
  'invalid_msgpack',
  'invalid_csv',
  'truncated',
  'too_long',
  'too_large',
  'too_deep',
  'integer_range',
  'number_range',
  'lone_surrogate',
  'proto_key',
  'missing_id',
  'invalid_id',
  'missing_field',
  'invalid_subject',
  'invalid_header',
  'transform',
  'validation',
  'worker_crash',
  'broker',
  'handler',
  'decode',
] as const;

export type RejectReason = (typeof rejectReasons)[number];

/** The number of a reason in shared memory. */
export function reasonCode(reason: RejectReason): number {
  return rejectReasons.indexOf(reason);
}

/** The reason of a number; `none` for a number nobody wrote. */
export function reasonOf(code: number): RejectReason {
  return rejectReasons[code] ?? 'none';
}
