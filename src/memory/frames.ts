/** Records in frames form: subject, id, headers and payload of one event each, lengths first; for `publish` and iterables of objects. */

/** Five little-endian u32 lengths: whole frame, subject, id, headers (NATS block lines), payload (msgpack). */
export const FRAME_HEADER_BYTES = 20;

export interface FrameParts {
  readonly subject: Uint8Array;
  readonly id: Uint8Array;
  /** Header lines, `Name: value\r\n…`, without status line and final line break; empty = none. */
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

export function frameBytes(parts: FrameParts): number {
  return FRAME_HEADER_BYTES + parts.subject.length + parts.id.length + parts.headers.length + parts.payload.length;
}

/** Main: writes a frame at `at`; the caller made sure that it fits. Returns the offset after it. */
export function writeFrame(bytes: Uint8Array, at: number, parts: FrameParts): number {
  const total = frameBytes(parts);
  putU32(bytes, at, total);
  putU32(bytes, at + 4, parts.subject.length);
  putU32(bytes, at + 8, parts.id.length);
  putU32(bytes, at + 12, parts.headers.length);
  putU32(bytes, at + 16, parts.payload.length);
  let next = at + FRAME_HEADER_BYTES;
  bytes.set(parts.subject, next);
  next += parts.subject.length;
  bytes.set(parts.id, next);
  next += parts.id.length;
  bytes.set(parts.headers, next);
  next += parts.headers.length;
  bytes.set(parts.payload, next);
  return at + total;
}

/** Offsets of the parts of the frame last read; all absolute. */
export class FrameReader {
  subjectStart = 0;
  idStart = 0;
  headersStart = 0;
  payloadStart = 0;
  end = 0;

  /** Returns the offset after the frame. Frames are written by us: a wrong length is a defect, not input. */
  read(bytes: Uint8Array, at: number): number {
    const total = getU32(bytes, at);
    this.subjectStart = at + FRAME_HEADER_BYTES;
    this.idStart = this.subjectStart + getU32(bytes, at + 4);
    this.headersStart = this.idStart + getU32(bytes, at + 8);
    this.payloadStart = this.headersStart + getU32(bytes, at + 12);
    this.end = this.payloadStart + getU32(bytes, at + 16);
    if (this.end !== at + total) throw new Error(`frame at ${at}: ${total} bytes, parts end at ${this.end}`);
    return this.end;
  }
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >>> 8) & 255;
  bytes[at + 2] = (value >>> 16) & 255;
  bytes[at + 3] = value >>> 24;
}

function getU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
