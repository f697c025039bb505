/**
 * Writes publish frames straight to the client's socket: whole frames only, small messages packed, large ones by reference, so that
 * a large payload is never copied in this process. What the client itself sends goes between our flushes, never inside one.
 */
import { putDecimal } from './decimal.ts';
import type { ClientWire, Frame } from './frame.ts';

const CHUNK_BYTES = 64 * 1_024;
/** Up to here a copy costs less than one more piece in the vector. */
const COPIED_BYTES_MAX = 4 * 1_024;
/** NATS servers refuse longer control lines; callers bound subject and reply to it. */
const LINE_BYTES_MAX = 4 * 1_024;
const FLUSH_BYTES = 2 * 1_024 * 1_024;
const CHUNKS_SPARE_MAX = 16;

const NOW: Promise<void> = Promise.resolve();
const NOTHING: Buffer = Buffer.alloc(0);

const HPUB = Buffer.from('HPUB ');
const PUB = Buffer.from('PUB ');
const SPACE = 0x20;
const ASCII_MAX = 0x7f;
const CR = 0x0d;
const LF = 0x0a;

/** `flush` is the last that carries a piece of it. */
type Chunk = { readonly bytes: Buffer; flush: number };

export class FrameWriter {
  readonly #wire: ClientWire;
  readonly #flushSoon: () => void = () => this.flush();
  readonly #full: Chunk[] = []; // Oldest first.
  #chunk: Chunk = newChunk();
  /** Next byte to write in the chunk, and the first that is in no piece yet. */
  #at = 0;
  #from = 0;
  readonly #pieces: Buffer[] = []; // Of the next flush; so many:
  #count = 0;
  readonly #left: () => void = () => this.#flushLeft();
  #memory: Uint8Array | null = null; // The frames' memory, as a Buffer: the socket would make one for each piece.
  #view: Buffer = NOTHING;
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
    const from = this.#at;
    this.#line(frame);
    if (bytes <= COPIED_BYTES_MAX) {
      this.#chunk.bytes.set(memory.subarray(start, end), this.#at);
      this.#at += bytes;
    } else if (frame.lead >= this.#at - from && !this.#wire.encrypted) {
      this.#around(frame, from);
      return this.#flushInTime(bytes);
    } else {
      this.#cut();
      this.#add(this.#wire.encrypted ? Buffer.from(memory.subarray(start, end)) : this.#viewOf(memory).subarray(start, end));
    }
    this.#chunk.bytes[this.#at++] = CR;
    this.#chunk.bytes[this.#at++] = LF;
    this.#flushInTime(bytes);
  }

  /** Whole frames that the caller has built; it does not write to these bytes again. */
  writeBuilt(frames: Buffer): void {
    this.#cut();
    this.#add(frames);
    this.#flushInTime(frames.length);
  }

  /** The line, written at `from` of the chunk, goes before the message where that lies, and the line end behind it. */
  #around({ memory, start, end }: Frame, from: number): void {
    const { bytes } = this.#chunk;
    const line = this.#at - from;
    for (let index = 0; index < line; index++) memory[start - line + index] = bytes[from + index]!;
    memory[end] = CR;
    memory[end + 1] = LF;
    this.#at = from;
    this.#cut();
    this.#add(this.#viewOf(memory).subarray(start - line, end + 2));
  }

  #viewOf(memory: Uint8Array): Buffer {
    if (memory !== this.#memory) {
      this.#memory = memory;
      this.#view = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
    }
    return this.#view;
  }

  #add(piece: Buffer): void {
    this.#pieces[this.#count] = piece;
    this.#count += 1;
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
    this.#bytes = 0;
    if (this.#closed) return;
    this.#wire.flushClient();
    this.#send();
  }

  /** Nothing more is written; what was not flushed is forgotten. */
  close(): void {
    this.#closed = true;
    this.#count = 0;
  }

  /** Is something waiting for the socket? */
  get waiting(): boolean {
    return this.#flushed > this.#done;
  }

  #send(): void {
    const { socket } = this.#wire;
    const pieces = this.#pieces;
    if (!this.waiting) this.progressAtMs = performance.now();
    this.#flushed += 1;
    const last = this.#count - 1;
    this.#count = 0;
    if (last > 0) socket.cork(); // The pieces leave as one vector, and the callback of the last says that all have left.
    for (let index = 0; index < last; index++) socket.write(pieces[index]!);
    socket.write(pieces[last]!, this.#left);
    if (last > 0) socket.uncork();
    for (let index = 0; index <= last; index++) pieces[index] = NOTHING; // Not kept alive.
  }

  /** Flushes leave in order: this is the oldest. */
  #flushLeft(): void {
    this.#done += 1;
    this.progressAtMs = performance.now();
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
    this.#full.push(this.#chunk);
    this.#chunk = this.#nextChunk();
    this.#at = 0;
    this.#from = 0;
  }

  /** The oldest chunk of which every piece has left, else a new one. */
  #nextChunk(): Chunk {
    let free: Chunk | undefined;
    while (
      this.#full[0] !== undefined &&
      this.#full[0].flush <= this.#done &&
      (free === undefined || this.#full.length >= CHUNKS_SPARE_MAX)
    )
      free = this.#full.shift();
    return free ?? newChunk();
  }

  /** What was written to the chunk since the last piece becomes a piece. */
  #cut(): void {
    if (this.#at === this.#from) return;
    this.#add(this.#chunk.bytes.subarray(this.#from, this.#at));
    this.#chunk.flush = this.#flushed + 1;
    this.#from = this.#at;
  }
}

const newChunk = (): Chunk => ({ bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), flush: 0 });
