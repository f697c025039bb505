/** Messages that are stored together: private memory that LMDB may read until the group has landed, and who waits for each. */
import type { OutboundMessage } from '../broker.ts';
import { HEAD_BYTES } from './store.ts';
import { RECORD_HEADER_BYTES, writeBytesBefore, writeRecordHeader } from './record.ts';

const GROUP_BYTES = 2 * 1_048_576;
const GROUP_MESSAGES_MAX = 8_192;
/** UTF-8 needs at most 3 bytes for a UTF-16 unit. */
export const recordBytesMax = (message: OutboundMessage): number =>
  RECORD_HEADER_BYTES + message.subject.length * 3 + message.end - message.start;

/**
 * The copy out of the caller's memory happens in `add`: that memory may be shared, of which LMDB would store garbage without
 * an error, and it is the engine's again after the ack. The head of the store sits at the start of the same memory.
 */
export class Group {
  readonly #memory: Buffer;
  #used = HEAD_BYTES;
  count = 0;
  bytes = 0;
  readonly tokens: number[] = [];
  readonly #starts: number[] = [];
  /** Set when it is launched. */
  base = 0;
  startedMs = 0;
  conflict = false;
  error: unknown = null;
  landed = false;

  constructor(bytes: number) {
    // Never from Buffer's pool: LMDB keeps addresses, and the pool's memory is other people's too.
    this.#memory = Buffer.allocUnsafeSlow(Math.max(bytes + HEAD_BYTES, GROUP_BYTES));
  }

  get recyclable(): boolean {
    return this.#memory.length === GROUP_BYTES;
  }

  get head(): Buffer {
    return this.#memory.subarray(0, HEAD_BYTES);
  }

  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#memory.length && this.count < GROUP_MESSAGES_MAX;
  }

  /** Hot path. Returns the bytes it took. */
  add(message: OutboundMessage, token: number, timeMs: number): number {
    const memory = this.#memory;
    const at = this.#used;
    const subjectBytes = memory.write(message.subject, at + RECORD_HEADER_BYTES, 'utf8');
    const headerBytes = message.payloadStart - message.start;
    writeRecordHeader(memory, at, { timeMs, subjectBytes, headerBytes, count: message.count });
    const body = at + RECORD_HEADER_BYTES + subjectBytes;
    memory.set(message.memory.subarray(message.start, message.end), body);
    const end = body + message.end - message.start;
    this.#used = end;
    this.#starts[this.count] = at;
    this.tokens[this.count++] = token;
    this.bytes += end - at;
    return end - at;
  }

  /** One record, ready to be stored after `bytesBefore` bytes of others. */
  record(index: number, bytesBefore: number): Buffer {
    const start = this.#starts[index]!;
    writeBytesBefore(this.#memory, start, bytesBefore);
    return this.#memory.subarray(start, index + 1 < this.count ? this.#starts[index + 1]! : this.#used);
  }

  /** Only after LMDB is done with it. */
  reset(): void {
    this.#used = HEAD_BYTES;
    this.count = 0;
    this.bytes = 0;
    this.conflict = false;
    this.error = null;
    this.landed = false;
  }
}
