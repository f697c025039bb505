/**
 * Makes a Kafka record of an outbound message, with private copies of its value and its headers. The key is `Millrace-Key` where
 * the message has one, else the subject: so the order per subject holds, and a key brings what belongs together into one partition.
 */
import type { OutboundMessage } from '../broker.ts';
import { ValueMemory } from './value-memory.ts';

export const SUBJECT_HEADER = 'Millrace-Subject';
export const KEY_HEADER = 'Millrace-Key';

const SUBJECT_NAME = Buffer.from(SUBJECT_HEADER);
const KEY_NAME = Buffer.from(KEY_HEADER);
const COLON = 0x3a;
const SPACE = 0x20;
const LF = 0x0a;
/** Batch and record heads, lengths and the subject's name; the subject itself counts twice, as header and as key. */
const RECORD_BYTES = 160;

export interface OutboundRecord {
  readonly token: number;
  readonly subject: string;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
  readonly timestamp: bigint;
  /** What it takes at most in a request. */
  readonly bytes: number;
}

export const recordBytes = ({ start, end }: OutboundMessage, subject: Buffer): number => end - start + subject.length * 2 + RECORD_BYTES;

/** Makes records. Neighbours mostly have the same header block: then its headers are read once, and shared by all that have it. */
export class RecordMaker {
  readonly #values: ValueMemory = new ValueMemory();
  #block: Buffer = Buffer.alloc(0);
  #subject: Buffer = this.#block;
  #headers: Map<Buffer, Buffer> = new Map();
  #key: Buffer | null = null;
  #nowMs = 0;
  #timestamp = 0n;

  make(message: OutboundMessage, token: number, subject: Buffer): OutboundRecord {
    const { memory, start, payloadStart, end } = message;
    this.#readHeaders(memory, start, payloadStart, subject);
    const nowMs = Date.now();
    if (nowMs !== this.#nowMs) {
      this.#nowMs = nowMs;
      this.#timestamp = BigInt(nowMs);
    }
    return {
      token,
      subject: message.subject,
      key: this.#key ?? subject,
      // The library reads its buffers until the answer, and again for a retry; the shared memory is free earlier.
      value: this.#values.copy(memory.subarray(payloadStart, end)),
      headers: this.#headers,
      timestamp: this.#timestamp,
      bytes: recordBytes(message, subject),
    };
  }

  /** Nobody reads this record any more: the memory of its value may serve for another. */
  reuse({ value }: OutboundRecord): void {
    this.#values.give(value);
  }

  #readHeaders(memory: Uint8Array, start: number, end: number, subject: Buffer): void {
    if (subject === this.#subject && end - start === this.#block.length && this.#block.compare(memory, start, end) === 0) return;
    this.#subject = subject;
    this.#block = Buffer.from(memory.subarray(start, end));
    this.#headers = new Map([[SUBJECT_NAME, subject]]);
    this.#key = start === end ? null : readBlock(this.#block, this.#block.length, this.#headers);
  }
}

/** `NATS/1.0\r\nName: value\r\n…\r\n\r\n` becomes record headers; gives the key, if there is one. */
function readBlock(block: Buffer, end: number, headers: Map<Buffer, Buffer>): Buffer | null {
  let key: Buffer | null = null;
  let at = block.indexOf(LF) + 1;
  while (at > 0 && at < end) {
    const next = block.indexOf(LF, at);
    if (next < 0 || next >= end) break;
    const colon = block.indexOf(COLON, at);
    if (colon > at && colon < next) {
      const name = block.subarray(at, colon);
      const value = block.subarray(block[colon + 1] === SPACE ? colon + 2 : colon + 1, next - 1);
      if (name.equals(KEY_NAME)) key = value;
      else headers.set(name, value);
    }
    at = next + 1;
  }
  return key;
}
