/** How a message lies in a slab of the inbound ring, and the words and rows with which a worker says what became of its events. */
import type { Ring } from '../src/memory/ring.ts';
import { FrameReader, frameBytes, writeFrame } from '../src/memory/frames.ts';
import type { FrameParts } from '../src/memory/frames.ts';
import type { ElementForm } from './inbound-message.ts';

/** Words of a slab's header beside those of `SlabWord` that mean the same here; each group keeps its one writer. */
export const InboundWord = {
  /** Main: event of the first frame of this run to begin with. */
  eventFrom: 46,
  /** Worker: event that the handler is at work on, in the frame that `SlabWord.suspect` names. */
  suspectEvent: 69,
  /** Worker: how often a handler said that it is still busy. */
  workings: 70,
  /** Worker: events done of the frame at which a run stopped. */
  eventsDone: 111,
} as const;

/** Words of one row of the reject table here. Raw range and text are absolute offsets. */
export const OutcomeWord = { frame: 0, index: 1, outcome: 2, form: 3, rawStart: 4, rawEnd: 5, textStart: 6, textBytes: 7 } as const;
export const OUTCOME_WORDS = 8;

/** Events without a row are acked. A nak with a delay is `nakAfter` plus its milliseconds. */
export const Outcome = { threw: 1, term: 2, undecodable: 3, nak: 4, nakAfter: 16 } as const;

/** What travels with a message beside subject, headers and payload. */
export interface FrameFacts {
  sequence: number;
  timeMs: number;
  redeliveries: number;
  attempts: number;
  form: ElementForm;
  /** Of the first event here, and events of the whole message. */
  index: number;
  count: number;
}

const FACT_BYTES = 36;
/** Into shared memory V8 copies by words where both sides are aligned alike, and byte by byte, at a fourth of the speed, where not. */
const WORD_BYTES = 8;
const PADDED_FROM_BYTES = 4_096;
const NONE = new Uint8Array(0);

/** Writes frames; one per ring, and what it repeats from message to message is encoded once. */
export class FrameWriter {
  readonly #ring: Ring;
  readonly #facts: Uint8Array = new Uint8Array(FACT_BYTES + WORD_BYTES - 1);
  /** With 0 to 7 bytes of padding, which nobody reads. */
  readonly #padded: readonly Uint8Array[] = Array.from({ length: WORD_BYTES }, (_, pad) => this.#facts.subarray(0, FACT_BYTES + pad));
  readonly #view: DataView = new DataView(this.#facts.buffer);
  readonly #parts: { subject: Uint8Array; id: Uint8Array; headers: Uint8Array; payload: Uint8Array } = {
    subject: NONE,
    id: this.#padded[0]!,
    headers: NONE,
    payload: NONE,
  };
  #subject = '';
  #headers = '';

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /** Sets what the next `write` writes, and says how many bytes that takes at most. */
  prepare(subject: string, headers: Readonly<Record<string, string>>, payload: Uint8Array): number {
    const text = JSON.stringify(headers);
    if (subject !== this.#subject) this.#parts.subject = Buffer.from(subject);
    if (text !== this.#headers) this.#parts.headers = Buffer.from(text);
    this.#subject = subject;
    this.#headers = text;
    this.#parts.payload = payload;
    this.#parts.id = this.#padded[0]!;
    return frameBytes(this.#parts as FrameParts) + WORD_BYTES - 1;
  }

  /** The offset after the frame. */
  write(at: number, facts: FrameFacts): number {
    this.#view.setFloat64(0, facts.sequence, true);
    this.#view.setFloat64(8, facts.timeMs, true);
    this.#view.setUint32(16, facts.redeliveries, true);
    this.#view.setUint32(20, facts.attempts, true);
    this.#view.setUint32(24, facts.form, true);
    this.#view.setUint32(28, facts.index, true);
    this.#view.setUint32(32, facts.count, true);
    const { payload } = this.#parts;
    if (payload.length >= PADDED_FROM_BYTES) {
      const unpadded = at + frameBytes(this.#parts as FrameParts) - payload.length;
      this.#parts.id = this.#padded[(payload.byteOffset - unpadded) & (WORD_BYTES - 1)]!;
    }
    const end = writeFrame(this.#ring.bytes, at, this.#parts as FrameParts);
    this.#parts.payload = NONE;
    return end;
  }
}

/** Reads frames; one per slab at work. What it gives is a private copy, but for `payloadInPlace`. */
export class InboundFrame {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #frame: FrameReader = new FrameReader();
  #headersText = '';
  #headers: Record<string, string> = {};

  constructor(ring: Ring) {
    this.#bytes = ring.bytes;
    this.#view = new DataView(ring.bytes.buffer);
  }

  /** The offset after the frame. */
  read(at: number): number {
    return this.#frame.read(this.#bytes, at);
  }

  get payloadStart(): number {
    return this.#frame.payloadStart;
  }

  get payloadEnd(): number {
    return this.#frame.end;
  }

  subject(): string {
    return Buffer.from(this.#bytes.slice(this.#frame.subjectStart, this.#frame.idStart)).toString();
  }

  facts(): FrameFacts {
    const at = this.#frame.idStart;
    return {
      sequence: this.#view.getFloat64(at, true),
      timeMs: this.#view.getFloat64(at + 8, true),
      redeliveries: this.#view.getUint32(at + 16, true),
      attempts: this.#view.getUint32(at + 20, true),
      form: this.#view.getUint32(at + 24, true) as ElementForm,
      index: this.#view.getUint32(at + 28, true),
      count: this.#view.getUint32(at + 32, true),
    };
  }

  /** Messages of one stream mostly repeat their headers: the same object is given again then, so it is frozen. */
  headers(): Readonly<Record<string, string>> {
    const text = Buffer.from(this.#bytes.slice(this.#frame.headersStart, this.#frame.payloadStart)).toString();
    if (text !== this.#headersText) {
      this.#headers = Object.freeze(JSON.parse(text) as Record<string, string>);
      this.#headersText = text;
    }
    return this.#headers;
  }

  payload(): Uint8Array {
    return this.#bytes.slice(this.#frame.payloadStart, this.#frame.end);
  }

  /** The same where it lies: for decoding, which keeps nothing of it. Nobody writes there while the slab is this worker's. */
  payloadInPlace(): Uint8Array {
    return this.#bytes.subarray(this.#frame.payloadStart, this.#frame.end);
  }
}
