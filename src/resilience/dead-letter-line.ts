/**
 * One dead letter as one line, so that grep, cut and jq can read it:
 *
 *     <CRC-32 of what follows its space, 8 hex digits> <bytes of the JSON> <JSON>\n
 *
 * The checksum finds every damaged line. The length lets a reader go on when only the line break is damaged.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DeadLetter, DeadLetterInput } from './dead-letter-types.ts';

const MESSAGE_CHARS_MAX = 4_000;
const SPACE = 0x20;
/** Control characters grow sixfold in JSON; beyond this growth base64 (4/3) is smaller. */
const TEXT_GROWTH_MAX = 1.5;

/** The line of any value, with its line break. */
export function encodeLine(value: object): Buffer {
  const json = Buffer.from(JSON.stringify(value), 'utf8');
  const body = Buffer.concat([Buffer.from(`${json.length} `), json]);
  return Buffer.concat([Buffer.from(`${sumOf(body)} `), body, Buffer.from('\n')]);
}

/** How a line (without its break) reads: its value, and the byte after it. Null when it is damaged. */
export function decodeLine(line: Uint8Array): { readonly value: unknown; readonly end: number } | null {
  if (line.length < 12 || line[8] !== SPACE) return null;
  const space = line.indexOf(SPACE, 9);
  if (space < 0 || space > 20) return null;
  const text = Buffer.from(line.buffer, line.byteOffset, line.length);
  const end = space + 1 + Number(text.toString('latin1', 9, space));
  if (!(end <= line.length)) return null;
  // Compared as text: as a number, a flip from `a` to `A` would go unseen.
  if (text.toString('latin1', 0, 8) !== sumOf(text.subarray(9, end))) return null;
  try {
    return { value: JSON.parse(text.toString('utf8', space + 1, end)) as unknown, end };
  } catch {
    return null; // The sum is right and the text is not: written by something else.
  }
}

function sumOf(body: Uint8Array): string {
  return crc32(body).toString(16).padStart(8, '0');
}

export interface LetterIdentity {
  readonly id: string;
  readonly time: Date;
  readonly rawBytesMax: number;
}

/** Copies `raw`, bounded, and keeps size and hash of what was cut away. */
export function encodeLetter(input: DeadLetterInput, { id, time, rawBytesMax }: LetterIdentity): Buffer {
  const raw = Buffer.from(input.raw.subarray(0, rawBytesMax));
  const rawBytes = Math.max(input.rawBytes ?? 0, input.raw.length);
  const cutHere = input.raw.length > rawBytesMax && input.rawBytes === undefined;
  const { origin, headers, subject, reason, code, processor, target, attempts, encoding } = input;
  return encodeLine({
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
  });
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
