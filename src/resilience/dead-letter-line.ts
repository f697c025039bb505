/** A dead letter as a checked line: as text where the event's bytes are text, so that people can read it. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { DeadLetter, DeadLetterInput } from './dead-letter-types.ts';

const MESSAGE_CHARS_MAX = 4_000;
/** Control characters grow sixfold in JSON; beyond this growth base64 (4/3) is smaller. */
const TEXT_GROWTH_MAX = 1.5;

export interface LetterIdentity {
  readonly id: string;
  readonly time: Date;
  readonly rawBytesMax: number;
}

/** A letter as plain JSON, with the keys of docs/dead-letters.md. */
export type LetterValue = Omit<DeadLetter, 'raw' | 'time'> & { readonly time: string; readonly text?: string; readonly base64?: string };

/** Copies `raw`, bounded, and keeps size and hash of what was cut away. */
export function letterValue(input: DeadLetterInput, { id, time, rawBytesMax }: LetterIdentity): LetterValue {
  const raw = Buffer.from(input.raw.subarray(0, rawBytesMax));
  const rawBytes = Math.max(input.rawBytes ?? 0, input.raw.length);
  const cutHere = input.raw.length > rawBytesMax && input.rawBytes === undefined;
  const { origin, headers, subject, reason, code, processor, target, attempts, encoding } = input;
  return {
    id,
    time: time.toISOString(),
    reason,
    code,
    message: input.message.slice(0, MESSAGE_CHARS_MAX),
    subject,
    processor,
    target,
    attempts,
    origin,
    headers,
    encoding,
    rawBytes,
    rawSha256: input.rawSha256 ?? (cutHere ? createHash('sha256').update(input.raw).digest('hex') : null),
    ...rawMembers(raw, encoding),
  };
}

/** Null when the line is no letter: a later version's, or another program's. */
export function letterOf(value: unknown): DeadLetter | null {
  if (typeof value !== 'object' || value === null) return null;
  const { text, base64, time, ...facts } = value as DeadLetter & { readonly text?: string; readonly base64?: string };
  if (typeof facts.id !== 'string' || typeof facts.reason !== 'string') return null;
  const raw = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'utf8');
  return { ...facts, time: new Date(time), raw };
}

/** As text where it is text, so that people can read it. */
function rawMembers(raw: Buffer, encoding: string): { readonly text: string } | { readonly base64: string } {
  if (encoding === 'input' && isUtf8(raw)) {
    const text = raw.toString('utf8');
    if (JSON.stringify(text).length <= raw.length * TEXT_GROWTH_MAX + 16) return { text };
  }
  return { base64: raw.toString('base64') };
}
