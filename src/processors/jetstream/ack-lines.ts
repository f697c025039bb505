/**
 * Acks as the bytes that go on the wire: built once, written as one piece per turn, and kept a while as they are, so that those which a
 * lost connection may have swallowed go out again.
 */
import type { NatsLink } from '../../connections/nats-link.ts';

/** A chunk and the one before it are kept: some 2,000 to 4,000 acks. */
const CHUNK_BYTES = 192 * 1_024;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const [LETTER_P, LETTER_U, LETTER_B] = [0x50, 0x55, 0x42];
/** What a line takes beside subject and body: PUB, spaces, a length of two digits, and line ends. */
const LINE_REST_BYTES = 16;
/** Longer bodies do not come here. */
export const BODY_BYTES_MAX = 99;

export class AckLines {
  readonly #link: NatsLink;
  readonly #writeSoon: () => void = () => this.write();
  #before: Buffer | null = null;
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #at = 0;
  /** Of the chunk: what is written already. */
  #written = 0;
  #scheduled = false;

  constructor(link: NatsLink) {
    this.#link = link;
  }

  /** Hot path. `subject` in latin1, byte for byte as it came. */
  add(subject: string, body: Uint8Array): void {
    this.#begin(subject.length + body.length);
    this.#at += this.#chunk.write(subject, this.#at, 'latin1');
    this.#end(body);
  }

  /** The same with the subject where it came, in `[start, end)` of `bytes`. */
  addFrom(bytes: Uint8Array, start: number, end: number, body: Uint8Array): void {
    this.#begin(end - start + body.length);
    const chunk = this.#chunk;
    let to = this.#at;
    for (let from = start; from < end; from++) chunk[to++] = bytes[from]!;
    this.#at = to;
    this.#end(body);
  }

  /** Everything added so far leaves. */
  write(): void {
    this.#scheduled = false;
    const from = this.#written;
    this.#written = this.#at;
    const { writer } = this.#link;
    if (from < this.#at) writer?.writeBuilt(this.#chunk.subarray(from, this.#at));
    writer?.flush();
  }

  /** The connection is back: what the last one may not have delivered. A second ack of a message does no harm. */
  again(): void {
    this.#written = 0;
    if (this.#before !== null) this.#link.writer?.writeBuilt(this.#before);
    this.write();
  }

  #begin(bytes: number): void {
    if (this.#at + bytes + LINE_REST_BYTES > CHUNK_BYTES) this.#turn();
    const chunk = this.#chunk;
    chunk[this.#at++] = LETTER_P;
    chunk[this.#at++] = LETTER_U;
    chunk[this.#at++] = LETTER_B;
    chunk[this.#at++] = SPACE;
  }

  #end(body: Uint8Array): void {
    const chunk = this.#chunk;
    let at = this.#at;
    chunk[at++] = SPACE;
    if (body.length > 9) chunk[at++] = DIGIT_0 + Math.floor(body.length / 10);
    chunk[at++] = DIGIT_0 + (body.length % 10);
    chunk[at++] = CR;
    chunk[at++] = LF;
    for (let from = 0; from < body.length; from++) chunk[at++] = body[from]!;
    chunk[at++] = CR;
    chunk[at++] = LF;
    this.#at = at;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#writeSoon);
  }

  /** A fresh chunk: the socket may still hold the old one. */
  #turn(): void {
    this.write();
    this.#before = this.#chunk.subarray(0, this.#at);
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#at = this.#written = 0;
  }
}
