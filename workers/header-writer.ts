/** Writes header blocks and small msgpack heads straight into shared memory, digit by digit. */
import type { Run } from './run.ts';

const ZERO = 48;

/** Appends bytes and returns the offset after them. */
export function putBytes(run: Run, at: number, bytes: Uint8Array): number {
  run.bytes.set(bytes, at);
  return at + bytes.length;
}

export function putCopy(run: Run, at: number, start: number, end: number): number {
  run.copy(at, start, end - start);
  return at + end - start;
}

/** ASCII text of our own making. */
export function putAscii(run: Run, at: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) run.bytes[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** A whole number of at most 2^53 in decimal. */
export function putNumber(run: Run, at: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  let rest = value;
  for (let index = digits - 1; index >= 0; index -= 1) {
    run.bytes[at + index] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}

/** Head of a msgpack array, shortest form. */
export function putArrayHead(run: Run, at: number, count: number): number {
  const { bytes } = run;
  if (count < 16) {
    bytes[at] = 0x90 | count;
    return at + 1;
  }
  const wide = count > 0xffff;
  bytes[at] = wide ? 0xdd : 0xdc;
  let next = at + 1;
  if (wide) {
    bytes[next] = count >>> 24;
    bytes[next + 1] = (count >>> 16) & 255;
    next += 2;
  }
  bytes[next] = (count >>> 8) & 255;
  bytes[next + 1] = count & 255;
  return next + 2;
}

/** Head of a msgpack str, shortest form, at most 64 KiB. */
export function putStringHead(run: Run, at: number, length: number): number {
  const { bytes } = run;
  if (length < 32) {
    bytes[at] = 0xa0 | length;
    return at + 1;
  }
  if (length < 256) {
    bytes[at] = 0xd9;
    bytes[at + 1] = length;
    return at + 2;
  }
  bytes[at] = 0xda;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length & 255;
  return at + 3;
}

/** `Name: value\r\n` lines as a msgpack map of strings; the lines were validated when they were written. */
export function putHeaderMap(run: Run, at: number, start: number, end: number): number {
  const lines = Buffer.from(run.bytes.slice(start, end)).toString().split('\r\n').slice(0, -1);
  run.bytes[at] = 0xde;
  run.bytes[at + 1] = lines.length >>> 8;
  run.bytes[at + 2] = lines.length & 255;
  let next = at + 3;
  for (const line of lines) {
    const colon = line.indexOf(':');
    for (const text of [line.slice(0, colon), line.slice(colon + 1).trimStart()]) {
      const bytes = Buffer.from(text);
      next = putBytes(run, putStringHead(run, next, bytes.length), bytes);
    }
  }
  return next;
}
