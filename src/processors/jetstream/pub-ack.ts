/** Reads the broker's answer to a publish from its bytes; JSON.parse runs only for refusals and for forms not met before. */

export interface PubAck {
  sequence: number;
  duplicate: boolean;
}

export interface PubRefusal {
  readonly status: number;
  readonly code: number;
  readonly description: string;
}

const STREAM = Buffer.from('{"stream":');
const SEQ = Buffer.from('"seq":');
const DUPLICATE = Buffer.from('"duplicate":');
const ZERO = 0x30;
const NINE = 0x39;
const QUOTE = 0x22;
const SPACE = 0x20;
const LOWER_T = 0x74;

/** Hot path. True: `into` holds the ack that is in `[start, end)`. False: it is not one in the usual form. */
export function readPubAck(bytes: Uint8Array, start: number, end: number, into: PubAck): boolean {
  if (end - start <= STREAM.length || !startsWith(bytes, STREAM, start)) return false;
  let at = find(bytes, SEQ, start + STREAM.length, end);
  if (at < 0) return false;
  at += SEQ.length;
  while (bytes[at] === SPACE) at++;
  const first = at;
  let sequence = 0;
  for (let byte = bytes[at]!; at < end && byte >= ZERO && byte <= NINE; byte = bytes[++at]!) sequence = sequence * 10 + (byte - ZERO);
  if (at === first) return false;
  into.sequence = sequence;
  into.duplicate = duplicateFrom(bytes, at, end) || duplicateFrom(bytes, start + STREAM.length, first);
  return true;
}

/** Cold: anything else the broker may answer. Null: it cannot be read at all. */
export function parseAnswer(bytes: Uint8Array): PubAck | PubRefusal | null {
  let answer: { error?: { code?: number; err_code?: number; description?: string }; seq?: number; duplicate?: boolean };
  try {
    answer = JSON.parse(Buffer.from(bytes).toString()) as typeof answer;
  } catch {
    return null;
  }
  if (answer === null || typeof answer !== 'object') return null;
  const { error } = answer;
  if (error !== undefined) return { status: error.code ?? 0, code: error.err_code ?? 0, description: error.description ?? '' };
  return typeof answer.seq === 'number' ? { sequence: answer.seq, duplicate: answer.duplicate === true } : null;
}

function duplicateFrom(bytes: Uint8Array, from: number, to: number): boolean {
  let at = find(bytes, DUPLICATE, from, to);
  if (at < 0) return false;
  at += DUPLICATE.length;
  while (bytes[at] === SPACE) at++;
  return bytes[at] === LOWER_T;
}

/** An unescaped `"seq":` cannot stand inside a JSON string: its quotes would be escaped. */
function find(bytes: Uint8Array, text: Uint8Array, from: number, to: number): number {
  for (let at = from; at + text.length <= to; at++) if (bytes[at] === QUOTE && startsWith(bytes, text, at)) return at;
  return -1;
}

function startsWith(bytes: Uint8Array, text: Uint8Array, at: number): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false;
  return true;
}
