/** Reads a header block in NATS form (`NATS/1.0\r\nName: value\r\n…\r\n\r\n`); names are compared without case, as writers differ in it. */
import type { Headers } from '../../api/event.ts';

export function parseHeaderBlock(block: string): Headers {
  const headers = Object.create(null) as Record<string, string>;
  const lines = block.split('\r\n');
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return headers;
}

export function findHeader(headers: Headers, name: string): string | undefined {
  const exact = headers[name];
  if (exact !== undefined) return exact;
  const wanted = name.toLowerCase();
  for (const key of Object.keys(headers)) if (key.toLowerCase() === wanted) return headers[key];
  return undefined;
}
