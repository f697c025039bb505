/**
 * Makes a Kafka record of an outbound message: one private copy, of which value and headers are views. The key is `Millrace-Key` where
 * the message has one, else the subject: so the order per subject holds, and a key brings what belongs together into one partition.
 */
import type { OutboundMessage } from '../broker.ts';

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

export function recordOf(message: OutboundMessage, token: number, subject: Buffer): OutboundRecord {
  const { memory, start, payloadStart, end } = message;
  // The library reads its buffers until the answer, and again for a retry; the shared memory is free earlier.
  const copy = Buffer.from(memory.subarray(start, end));
  const split = payloadStart - start;
  const headers = new Map<Buffer, Buffer>([[SUBJECT_NAME, subject]]);
  const key = split === 0 ? null : readBlock(copy, split, headers);
  const bytes = recordBytes(message, subject);
  return {
    token,
    subject: message.subject,
    key: key ?? subject,
    value: copy.subarray(split),
    headers,
    timestamp: BigInt(Date.now()),
    bytes,
  };
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
