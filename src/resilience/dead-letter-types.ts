/** What a dead letter holds: everything that is needed to see why an event was refused, and to publish it again. */
import type { ErrorCode } from '../api/error-codes.ts';
import type { RejectReason } from '../api/reject-reasons.ts';

/** Where the event came from. A member that does not apply is null. */
export interface DeadLetterOrigin {
  readonly file: string | null;
  /** From 1. */
  readonly line: number | null;
  /** Bytes `byteOffset` to `byteEnd` (exclusive) of the file, unpacked. */
  readonly byteOffset: number | null;
  readonly byteEnd: number | null;
  /** Message of a broker that held it, and its place in that message. */
  readonly stream: string | null;
  readonly sequence: number | null;
  readonly index: number | null;
}

/** `input`: bytes as the source gave them. `msgpack`: one encoded event. */
export type DeadLetterEncoding = 'input' | 'msgpack';

interface DeadLetterFacts {
  readonly reason: RejectReason;
  readonly code: ErrorCode;
  readonly message: string;
  readonly subject: string | null;
  readonly processor: string;
  /** Connection URL with its secrets replaced. */
  readonly target: string;
  /** Attempts made; 0 when it never was sent. */
  readonly attempts: number;
  readonly origin: DeadLetterOrigin | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly encoding: DeadLetterEncoding;
}

/** What the engine appends. `raw` is copied during the call, so it may be a view of a slab. */
export interface DeadLetterInput extends DeadLetterFacts {
  readonly raw: Uint8Array;
  /** Size of the whole when `raw` is only its beginning, and its SHA-256 in hex where it is known. */
  readonly rawBytes?: number;
  readonly rawSha256?: string;
}

export interface DeadLetter extends DeadLetterFacts {
  /** Unique in its folder: `<token of the writer>-<number from 1>`. */
  readonly id: string;
  /** When it was appended. */
  readonly time: Date;
  readonly raw: Uint8Array;
  /** Size of the whole; larger than `raw.length` when it was cut. */
  readonly rawBytes: number;
  /** Of the whole, in hex; null when nothing was cut, or nobody knows. */
  readonly rawSha256: string | null;
}

/** Members that are given must all match; none given matches every letter. */
export interface DeadLetterFilter {
  readonly ids?: ReadonlySet<string>;
  readonly reason?: RejectReason;
  readonly subject?: string;
  readonly before?: Date;
  readonly after?: Date;
}

/** A stretch of a segment that is no letter any more. */
export interface Damage {
  readonly file: string;
  readonly byteOffset: number;
  readonly bytes: number;
  /** True for an unfinished last line: what a crash during a write leaves behind. */
  readonly torn: boolean;
}

export function matchesFilter(letter: DeadLetter, { ids, reason, subject, before, after }: DeadLetterFilter): boolean {
  if (ids !== undefined && !ids.has(letter.id)) return false;
  if (reason !== undefined && letter.reason !== reason) return false;
  if (subject !== undefined && letter.subject !== subject) return false;
  if (before !== undefined && letter.time >= before) return false;
  return after === undefined || letter.time > after;
}
