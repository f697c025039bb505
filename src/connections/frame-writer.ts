/**
 * Writes publish frames straight to the client's socket: whole frames only, small messages packed, large ones by reference, so that
 * a large payload is never copied in this process. What the client itself sends goes between our flushes, never inside one.
 */
import type { Socket } from 'node:net';

/** One message as it goes on the wire; the bytes `[start, end)` must stay as they are until its flush is done or the socket is dead. */
export interface Frame {
  /** Written into the frame as it is: with many subjects a table of their bytes costs more than it saves. */
  readonly subject: string;
  /** Its first `replyBytes` are the reply subject. */
  readonly reply: Uint8Array;
  readonly replyBytes: number;
  readonly memory: Uint8Array;
  readonly start: number;
  readonly payloadStart: number;
  readonly end: number;
}

/** The parts of the client's connection that are used beside its public face. */
export interface ClientWire {
  readonly socket: Socket;
  /** TLS copies what it encrypts in pieces: there we copy before. */
  readonly encrypted: boolean;
  /** Sends what the client holds, if it holds any. */
  flushClient(): void;
}

const CHUNK_BYTES = 64 * 1_024;
/** Up to here a copy costs less than one more piece in the vector. */
const COPIED_BYTES_MAX = 4 * 1_024;
/** NATS servers refuse longer control lines; callers bound subject and reply to it. */
const LINE_BYTES_MAX = 4 * 1_024;
const FLUSH_BYTES = 256 * 1_024;
const CHUNKS_SPARE_MAX = 16;

const NOW: Promise<void> = Promise.resolve();

const HPUB = Buffer.from('HPUB ');
const PUB = Buffer.from('PUB ');
const SPACE = 0x20;
const ASCII_MAX = 0x7f;
const CR = 0x0d;
const LF = 0x0a;

type Chunk = { readonly bytes: Buffer; flushes: number; retired: boolean };

export class FrameWriter {
  readonly #wire: ClientWire;
  readonly #flushSoon: () => void = () => this.flush();
  readonly #spare: Chunk[] = [];
  #chunk: Chunk = newChunk();
  /** Next byte to write in the chunk, and the first that is in no piece yet. */
  #at = 0;
  #from = 0;
  #pieces: Uint8Array[] = [];
  #used: Chunk[] = [];
  #bytes = 0;
  #scheduled = false;
  #closed = false;
  #flushed = 0;
  #done = 0;
  /** Milliseconds of `performance.now()` at which the socket last took something, or had nothing to take. */
  progressAtMs: number = performance.now();

  constructor(wire: ClientWire) {
    this.#wire = wire;
  }

  /** Number of the flush that will carry, or has carried, the frame given last. */
  get flushNumber(): number {
    return this.#flushed + 1;
  }

  /** All flushes up to this number have left the process: their bytes are free. */
  get doneNumber(): number {
    return this.#done;
  }

  /** Hot path. Takes the whole frame; it leaves with this microtask at the latest. */
  write(frame: Frame): void {
    const { memory, start, end } = frame;
    const bytes = end - start;
    this.#reserve(LINE_BYTES_MAX + COPIED_BYTES_MAX);
    this.#line(frame);
    if (bytes <= COPIED_BYTES_MAX) {
      this.#chunk.bytes.set(memory.subarray(start, end), this.#at);
      this.#at += bytes;
    } else {
      this.#cut();
      const view = memory.subarray(start, end);
      this.#pieces.push(this.#wire.encrypted ? Uint8Array.from(view) : view);
    }
    this.#chunk.bytes[this.#at++] = CR;
    this.#chunk.bytes[this.#at++] = LF;
    this.#flushInTime(bytes);
  }

  /** Whole frames that the caller has built; it does not write to these bytes again. */
  writeBuilt(frames: Uint8Array): void {
    this.#cut();
    this.#pieces.push(frames);
    this.#flushInTime(frames.length);
  }

  #flushInTime(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= FLUSH_BYTES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      void NOW.then(this.#flushSoon); // A quarter of what queueMicrotask allocates.
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#bytes === 0 && this.#at === this.#from) return;
    this.#cut();
    const pieces = this.#pieces;
    const used = this.#used;
    this.#pieces = [];
    this.#used = [];
    this.#bytes = 0;
    if (this.#closed) return;
    this.#wire.flushClient();
    this.#send(pieces, used);
  }

  /** Nothing more is written; what was not flushed is forgotten. */
  close(): void {
    this.#closed = true;
    this.#pieces = [];
    this.#used = [];
  }

  /** Is something waiting for the socket? */
  get waiting(): boolean {
    return this.#flushed > this.#done;
  }

  #send(pieces: readonly Uint8Array[], used: readonly Chunk[]): void {
    const { socket } = this.#wire;
    if (!this.waiting) this.progressAtMs = performance.now();
    const number = ++this.#flushed;
    const done = (): void => {
      this.#done = number;
      this.progressAtMs = performance.now();
      for (const chunk of used) this.#unuse(chunk);
    };
    const last = pieces.length - 1;
    if (last === 0) {
      socket.write(pieces[0]!, done);
      return;
    }
    // Corked: the pieces leave as one vector, and the callback of the last says that all have left.
    socket.cork();
    for (let index = 0; index < last; index++) socket.write(pieces[index]!);
    socket.write(pieces[last]!, done);
    socket.uncork();
  }

  #line({ subject, reply, replyBytes, start, payloadStart, end }: Frame): void {
    const headers = payloadStart > start;
    this.#put(headers ? HPUB : PUB, headers ? HPUB.length : PUB.length);
    this.#subject(subject);
    this.#chunk.bytes[this.#at++] = SPACE;
    this.#put(reply, replyBytes);
    this.#chunk.bytes[this.#at++] = SPACE;
    if (headers) {
      this.#number(payloadStart - start);
      this.#chunk.bytes[this.#at++] = SPACE;
    }
    this.#number(end - start);
    this.#chunk.bytes[this.#at++] = CR;
    this.#chunk.bytes[this.#at++] = LF;
  }

  /** In UTF-8; ASCII, which is the rule, without a call into the runtime. */
  #subject(subject: string): void {
    const { bytes } = this.#chunk;
    const { length } = subject;
    const at = this.#at;
    for (let index = 0; index < length; index++) {
      const unit = subject.charCodeAt(index);
      if (unit > ASCII_MAX) {
        this.#at = at + bytes.write(subject, at);
        return;
      }
      bytes[at + index] = unit;
    }
    this.#at = at + length;
  }

  #put(text: Uint8Array, length: number): void {
    const { bytes } = this.#chunk;
    for (let index = 0; index < length; index++) bytes[this.#at + index] = text[index]!;
    this.#at += length;
  }

  #number(value: number): void {
    this.#at = putDecimal(this.#chunk.bytes, this.#at, value);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= CHUNK_BYTES) return;
    this.#cut();
    this.#chunk.retired = true;
    this.#chunk = this.#spare.pop() ?? newChunk();
    this.#at = 0;
    this.#from = 0;
  }

  /** What was written to the chunk since the last piece becomes a piece. */
  #cut(): void {
    if (this.#at === this.#from) return;
    this.#pieces.push(this.#chunk.bytes.subarray(this.#from, this.#at));
    if (this.#used[this.#used.length - 1] !== this.#chunk) {
      // Counted here and not at the flush: an older flush may end in between, and must not free a chunk that is about to be sent.
      this.#chunk.flushes++;
      this.#used.push(this.#chunk);
    }
    this.#from = this.#at;
  }

  #unuse(chunk: Chunk): void {
    chunk.flushes--;
    if (!chunk.retired || chunk.flushes > 0 || this.#spare.length >= CHUNKS_SPARE_MAX) return;
    chunk.retired = false;
    this.#spare.push(chunk);
  }
}

const newChunk = (): Chunk => ({ bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), flushes: 0, retired: false });

/** Writes a non-negative integer in decimal and says where the next byte goes. */
export function putDecimal(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const next = Math.floor(rest / 10);
    bytes[index] = 0x30 + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}
