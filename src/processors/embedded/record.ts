/**
 * One stored message as bytes: a fixed header, then subject, header block and payload as they were published. Format 1:
 * u8 format · u8 0 · u16 subject bytes · u32 header bytes · f64 time (ms) · u32 events · u32 0 · f64 bytes stored before it (little endian).
 * The last member makes the size of any range of messages a subtraction.
 */

const RECORD_FORMAT = 1;
export const RECORD_HEADER_BYTES = 32;
export const SUBJECT_BYTES_MAX = 65_535;

/** Keys are 8 bytes, big endian, so LMDB's byte order is the order of sequences. */
export const sequenceKeys = {
  writeKey(sequence: number, target: Buffer, start: number): number {
    target.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), start);
    target.writeUInt32BE(sequence >>> 0, start + 4);
    return start + 8;
  },
  readKey: (source: Buffer, start: number): number => readUint32(source, start) * 0x1_0000_0000 + readUint32(source, start + 4),
};

/** By hand: LMDB gives buffers whose `length` it sets itself, and plain Uint8Arrays. */
function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export interface RecordFields {
  readonly timeMs: number;
  readonly subjectBytes: number;
  readonly headerBytes: number;
  readonly count: number;
}

export function writeRecordHeader(target: Buffer, at: number, fields: RecordFields): void {
  target[at] = RECORD_FORMAT;
  target[at + 1] = 0;
  target.writeUInt16LE(fields.subjectBytes, at + 2);
  target.writeUInt32LE(fields.headerBytes, at + 4);
  target.writeDoubleLE(fields.timeMs, at + 8);
  target.writeUInt32LE(fields.count, at + 16);
  target.writeUInt32LE(0, at + 20);
}

/** Known only when the sequence is: written just before the put. */
export const writeBytesBefore = (target: Buffer, at: number, bytesBefore: number): void => void target.writeDoubleLE(bytesBefore, at + 24);

/** Reads the fields of one record; reused, since a scan looks at millions. */
export class RecordView {
  bytes: Buffer = Buffer.alloc(0);
  timeMs = 0;
  count = 0;
  bytesBefore = 0;
  headersStart = 0;
  payloadStart = 0;
  end = 0;

  /** `value` stays LMDB's until its next read: nothing of it is kept here. Throws on a format that is not ours. */
  read(value: Uint8Array): this {
    const end = value.length; // LMDB overrides it: the buffer behind is larger
    const bytes = Buffer.from(value.buffer, value.byteOffset, end);
    if (end < RECORD_HEADER_BYTES || bytes[0] !== RECORD_FORMAT)
      throw new Error(`a stored message has format ${bytes[0] ?? 'none'}, not ${RECORD_FORMAT}`);
    this.bytes = bytes;
    this.headersStart = RECORD_HEADER_BYTES + bytes.readUInt16LE(2);
    this.payloadStart = this.headersStart + bytes.readUInt32LE(4);
    if (this.payloadStart > end) throw new Error('a stored message is shorter than its header says');
    this.timeMs = bytes.readDoubleLE(8);
    this.count = bytes.readUInt32LE(16);
    this.bytesBefore = bytes.readDoubleLE(24);
    this.end = end;
    return this;
  }

  subject(): string {
    return this.bytes.toString('utf8', RECORD_HEADER_BYTES, this.headersStart);
  }

  headerBlock(): string {
    return this.bytes.toString('utf8', this.headersStart, this.payloadStart);
  }

  payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }
}
