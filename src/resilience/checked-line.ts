/**
 * One JSON value as one line, so that grep, cut and jq can read it:
 *
 *     <CRC-32 of what follows its space, 8 hex digits> <bytes of the JSON> <JSON>\n
 *
 * The checksum finds every damaged line. The length lets a reader go on when only the line break is damaged.
 */
import { crc32 } from 'node:zlib';

const SPACE = 0x20;

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
