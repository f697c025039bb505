/** One pulled message as the engine sees it: read from the socket's bytes, with no string that is not asked for; used again for the next. */
import type { RawMessage } from '../../connections/raw-message.ts';
import type { Headers } from '../../api/event.ts';
import type { InboundMessage } from '../broker.ts';
import { readHeaders } from './pulled-headers.ts';

/** What ack, nak, term and working need; `settled` makes the second of them a no-op. */
export interface AckHandle {
  /** In latin1, byte for byte as it came; empty while the message is being received. */
  reply: string;
  readonly sequence: number;
  settled: boolean;
}

const DOT = 0x2e;
const TOKENS_SHORT = 9;
const NANOS_PER_MS = 1_000_000;
const NONE: Uint8Array = new Uint8Array(0);

/** Reply: `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>`, or with domain and account before the stream. */
export class PulledMessage implements InboundMessage {
  subject = '';
  payload: Uint8Array = NONE;
  sequence = 0;
  consumerSequence = 0;
  timeMs = 0;
  redeliveries = 0;
  handle: AckHandle = { reply: '', sequence: 0, settled: true };
  #raw: RawMessage | null = null;
  // Messages of one stream mostly repeat their subject and their headers.
  #subjectBytes: Uint8Array = NONE;
  #headerBytes: Uint8Array = NONE;
  #headers: Headers = {};
  /** Of the replies of one consumer: all before the numbers. */
  #prefix: Uint8Array = Uint8Array.of(0); // Equals no reply.
  #at = 0;

  take(raw: RawMessage): void {
    this.#raw = raw;
    const { bytes, payloadStart, end } = raw;
    this.payload = new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, end - payloadStart);
    if (!sameBytes(this.#subjectBytes, bytes, raw.subjectStart, raw.subjectEnd)) {
      this.#subjectBytes = copyOf(bytes, raw.subjectStart, raw.subjectEnd);
      this.subject = Buffer.from(this.#subjectBytes.buffer).toString('utf8');
    }
    this.#readReply(raw);
    this.handle = { reply: '', sequence: this.sequence, settled: false };
  }

  /** The bytes are valid no longer. A handle that is kept gets its own copy of what it needs. */
  drop(): void {
    if (!this.handle.settled) this.handle.reply = replyOf(this.#raw!);
    this.#raw = null;
    this.payload = NONE;
  }

  /** It is being received, and has not been settled. */
  get open(): boolean {
    return this.#raw !== null && !this.handle.settled;
  }

  /** The message that this handle is of, while it is being received. */
  rawOf(handle: AckHandle): RawMessage | null {
    return this.handle === handle ? this.#raw : null;
  }

  header(name: string): string | undefined {
    return this.headers()[name];
  }

  /** Frozen, and the same object for as long as the headers are the same. */
  headers(): Headers {
    const { bytes, start, payloadStart } = this.#raw!;
    if (!sameBytes(this.#headerBytes, bytes, start, payloadStart)) {
      this.#headerBytes = copyOf(bytes, start, payloadStart);
      this.#headers = Object.freeze(readHeaders(this.#headerBytes));
    }
    return this.#headers;
  }

  #readReply({ bytes, replyStart, replyEnd }: RawMessage): void {
    const prefix = this.#prefix;
    if (!sameBytes(prefix, bytes, replyStart, replyStart + prefix.length)) {
      this.#prefix = copyOf(bytes, replyStart, numbersStart(bytes, replyStart, replyEnd));
    }
    this.#at = replyStart + this.#prefix.length;
    this.redeliveries = this.#next(bytes, replyEnd) - 1;
    this.sequence = this.#next(bytes, replyEnd);
    this.consumerSequence = this.#next(bytes, replyEnd);
    this.timeMs = Math.floor(this.#next(bytes, replyEnd) / NANOS_PER_MS); // Beyond 2^53, and still right to a microsecond.
  }

  #next(bytes: Uint8Array, end: number): number {
    let value = 0;
    let at = this.#at;
    for (; at < end && bytes[at] !== DOT; at++) value = value * 10 + bytes[at]! - 0x30;
    this.#at = at + 1;
    return value;
  }
}

/** They begin behind four dots, or six. */
function numbersStart(bytes: Uint8Array, start: number, end: number): number {
  let dots = 0;
  for (let at = start; at < end; at++) if (bytes[at] === DOT) dots++;
  let skip = dots + 1 === TOKENS_SHORT ? 4 : 6;
  let at = start;
  for (; skip > 0 && at < end; at++) if (bytes[at] === DOT) skip--;
  return at;
}

/** In latin1, byte for byte as it came. */
export function replyOf({ bytes, replyStart, replyEnd }: RawMessage): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + replyStart, replyEnd - replyStart).toString('latin1');
}

/** The slice of a Buffer would be a view. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
