/** A header block as a map: values of one name are joined, lines that are no headers are passed over, and no name reaches a prototype. */

export function readHeaders(block: Uint8Array): Record<string, string> {
  const headers: Record<string, string> = {};
  const lines = Buffer.from(block.buffer, block.byteOffset, block.length).toString('utf8').split('\r\n');
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name === '__proto__') continue;
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
