/** One dead letter as JSON and as text for people; its bytes are shown as text only where they are text. */
import { isUtf8 } from 'node:buffer';
import type { DeadLetter } from '../resilience/dead-letter-types.ts';
import { columns, count } from './text.ts';

/** The keys of docs/dead-letters.md. */
export function letterJson({ raw, ...facts }: DeadLetter): string {
  return JSON.stringify({
    ...facts,
    ...(isText(raw) ? { text: Buffer.from(raw).toString() } : { base64: Buffer.from(raw).toString('base64') }),
  });
}

export function letterText(letter: DeadLetter): string {
  const { raw, origin, headers, rawBytes, rawSha256 } = letter;
  const rows: string[][] = [];
  for (const name of ['id', 'time', 'reason', 'code', 'message', 'subject', 'processor', 'target', 'attempts', 'encoding'] as const) {
    const value = letter[name];
    rows.push([name, value instanceof Date ? value.toISOString() : String(value ?? '-')]);
  }
  for (const [name, value] of Object.entries(origin ?? {})) if (value !== null) rows.push([`origin ${name}`, String(value)]);
  for (const [name, value] of Object.entries(headers ?? {})) rows.push([`header ${name}`, value]);
  rows.push([
    'bytes',
    rawBytes > raw.length
      ? `${count(rawBytes)}, of which ${count(raw.length)} are kept; SHA-256 ${rawSha256 ?? 'not known'}`
      : count(rawBytes),
  ]);
  const body = isText(raw) ? Buffer.from(raw).toString() : Buffer.from(raw).toString('base64').replaceAll(/.{76}/g, '$&\n');
  return `${columns(rows)}\n\n${body}${body.endsWith('\n') ? '' : '\n'}`;
}

/** Control characters would reach the terminal. */
function isText(raw: Uint8Array): boolean {
  return isUtf8(raw) && !raw.some((byte) => (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f);
}
