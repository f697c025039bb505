/** Header blocks in NATS form (`NATS/1.0`, lines, an empty line): what is written cannot break out of its line, what is read cannot reach a prototype. */
import { MillraceError } from '../api/errors.ts';

const VERSION = 'NATS/1.0';
const NAME = /^[!-9;-~]+$/; // Printable ASCII without space and colon.

/** The block of these headers; no bytes at all when there are none. Throws MILLRACE_HEADER_INVALID. */
export function headerBlockBytes(headers: Readonly<Record<string, string>>): Uint8Array {
  const names = Object.keys(headers);
  if (names.length === 0) return new Uint8Array(0);
  let block = `${VERSION}\r\n`;
  for (const name of names) {
    const value: unknown = headers[name];
    const why = headerFault(name, value);
    if (why !== null) throw new MillraceError('MILLRACE_HEADER_INVALID', `header ${JSON.stringify(name.slice(0, 100))}: ${why}`);
    block += `${name}: ${String(value)}\r\n`;
  }
  return new TextEncoder().encode(`${block}\r\n`);
}

/** Null when the header can be sent, else the reason in words. */
export function headerFault(name: string, value: unknown): string | null {
  if (!NAME.test(name)) return 'a name is printable ASCII without spaces and colons';
  if (typeof value !== 'string') return `its value must be a string, not ${value === null ? 'null' : typeof value}`;
  if (/[\r\n\0]/.test(value)) return 'its value has a line break or NUL'; // oxlint-disable-line no-control-regex -- they are what is looked for
  return /\p{Surrogate}/u.test(value) ? 'its value is not valid Unicode' : null;
}

/** The headers of the block in [start, end), without a prototype; of a name that comes twice the first counts. Lines that are no headers are passed over. */
export function parseHeaderBlock(bytes: Uint8Array, start: number, end: number): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>;
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
    .toString('utf8')
    .split('\r\n');
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    // One space is the form's own; more are the value's.
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    headers[name] ??= value;
  }
  return headers;
}

/** Value of a header whatever the case of its name; the exact spelling goes first. */
export function findHeader(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  if (Object.hasOwn(headers, name)) return headers[name];
  const wanted = name.toLowerCase();
  for (const key of Object.keys(headers)) if (key.toLowerCase() === wanted) return headers[key];
  return undefined;
}
