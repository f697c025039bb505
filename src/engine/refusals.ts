/** Every event that is refused or has failed for good becomes a dead letter with reason, place and raw bytes; nothing is dropped silently. */
import type { OpenLetters } from './letter-target.ts';
import { patiently } from './patience.ts';
import { refusalWords } from './refusal-words.ts';
import type { Signals } from './signals.ts';
import type { Intake, Refusal, Ticket } from './ticket.ts';
import { skipValue } from '../codec/msgpack-scan.ts';
import { MillraceError } from '../api/errors.ts';
import type { Headers } from '../api/event.ts';
import { reasonOf } from '../api/reject-reasons.ts';
import type { RejectReason } from '../api/reject-reasons.ts';
import { BatchWord, RejectWord, SlabForm, SlabWord } from '../memory/layout.ts';
import { FrameReader } from '../memory/frames.ts';
import type { Ring } from '../memory/ring.ts';
import type { DeadLetterInput } from '../resilience/dead-letter-types.ts';
import type { LetterSink } from '../resilience/letter-sink.ts';

const RAW_BYTES_MAX = 1_024 * 1_024;

export interface DeliveryRefusal {
  readonly reason: RejectReason;
  readonly error: MillraceError;
  readonly subject: string;
  readonly headers: Headers;
  readonly raw: Uint8Array;
  readonly encoding: 'input' | 'msgpack';
  readonly attempts: number;
  readonly origin: { readonly stream: string | null; readonly sequence: number; readonly index: number };
}

export class Refusals {
  readonly #signals: Signals;
  readonly #labels: { readonly processor: string; readonly target: string };
  readonly #open: OpenLetters;
  /** By folder or URL. */
  readonly #stores: Map<string, LetterSink> = new Map();
  readonly #full: Set<LetterSink> = new Set();

  constructor(signals: Signals, labels: { readonly processor: string; readonly target: string }, open: OpenLetters) {
    this.#signals = signals;
    this.#labels = labels;
    this.#open = open;
  }

  /** Before anything of this place can be refused: says at once when it cannot be one. */
  async prepare(place: string): Promise<void> {
    if (place === 'off' || this.#stores.has(place)) return;
    const store = await this.#open(place, this.#signals);
    if (this.#stores.has(place)) await store.close();
    else this.#stores.set(place, store);
  }

  refuse(refusal: Refusal, { deadLetters }: Pick<Intake, 'deadLetters'>): void {
    const { reason, error, subject, file, line, byteOffset, byteEnd, raw, encoding, attempts } = refusal;
    if (this.#signals.listens('deadletter'))
      this.#signals.emit('deadletter', { subject, reason, message: error.message, file, byteOffset });
    const origin = { file, line, byteOffset, byteEnd, stream: null, sequence: null, index: null };
    const whole =
      refusal.whole === undefined
        ? {}
        : { rawBytes: refusal.whole.bytes, ...(refusal.whole.sha256 === null ? {} : { rawSha256: refusal.whole.sha256 }) };
    this.#append(deadLetters, {
      reason,
      code: error.code,
      message: error.message,
      subject,
      ...this.#labels,
      attempts,
      origin,
      headers: null,
      raw,
      encoding,
      ...whole,
    });
  }

  /** An event that was read and could not be handled. */
  refuseDelivery(refusal: DeliveryRefusal, folder: string): void {
    const { reason, error, subject, headers, raw, encoding, attempts, origin } = refusal;
    if (this.#signals.listens('deadletter'))
      this.#signals.emit('deadletter', { subject, reason, message: error.message, file: null, byteOffset: 0 });
    const place = { file: null, line: null, byteOffset: null, byteEnd: null, ...origin };
    this.#append(folder, {
      reason,
      code: error.code,
      message: error.message,
      subject,
      ...this.#labels,
      attempts,
      origin: place,
      headers,
      raw,
      encoding,
    });
  }

  /** There is something to wait for in `whenRoom`. */
  get full(): boolean {
    return this.#full.size > 0;
  }

  #append(folder: string, letter: DeadLetterInput): void {
    const store = this.#stores.get(folder);
    if (store !== undefined && !store.append(letter)) this.#full.add(store);
  }

  /** Waits while dead letters are not on disk fast enough, or the disk is full: the source pauses, and nothing is dropped. */
  async whenRoom(givenUp: () => boolean): Promise<void> {
    if (this.#full.size === 0) return;
    const full = [...this.#full];
    this.#full.clear();
    await Promise.all(full.map((store) => patiently(() => store.flush(), givenUp)));
  }

  /** As `flush`, but what refuses is asked again until it does not, or `givenUp`. */
  whenSafe(givenUp: () => boolean): Promise<void> {
    return patiently(() => this.flush(), givenUp);
  }

  /** Dead letters are on disk. */
  async flush(): Promise<void> {
    await Promise.all([...this.#stores.values()].map((store) => store.flush()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stores.values()].map((store) => store.close()));
    this.#stores.clear();
  }
}

/** Reads a row of the reject table (Int32 index). */
export function refusalOf(ring: Ring, ticket: Ticket, row: number): Refusal {
  const word = (name: keyof typeof RejectWord): number => ring.words[row + RejectWord[name]]!;
  const text = Buffer.from(ring.bytes.slice(word('textStart') >>> 0, (word('textStart') >>> 0) + word('textBytes'))).toString();
  const reason = reasonOf(word('reason'));
  return recordRefusal(ring, ticket, {
    reason,
    start: word('start'),
    end: word('end'),
    at: word('at'),
    line: ticket.intake.lines + word('line') + 1,
    text,
  });
}

/** A record that killed the worker it ran in alone. */
export function crashRefusal(
  ring: Ring,
  ticket: Ticket,
  { start, end, line, message }: { start: number; end: number; line: number; message: string },
): Refusal {
  return recordRefusal(ring, ticket, { reason: 'worker_crash', start, end, at: -1, line, text: message });
}

interface Fault {
  readonly reason: RejectReason;
  /** Range of the record and place of the fault (-1 = none), from the start of the in area. */
  readonly start: number;
  readonly end: number;
  readonly at: number;
  readonly line: number;
  readonly text: string;
}

function recordRefusal(ring: Ring, { slab, intake }: Ticket, fault: Fault): Refusal {
  const area = ring.start(slab) + ring.shape(slab).inStart;
  const frames = ring.get(slab, SlabWord.form) === SlabForm.frames;
  const start = frames ? payloadStart(ring, area + fault.start) - area : fault.start;
  const offset = ring.offset(slab);
  const place = frames
    ? ''
    : ` at ${intake.file ?? 'the source'}${fault.line > 0 ? `:${fault.line}` : ''}, byte ${offset + (fault.at < 0 ? start : fault.at)}`;
  const [code, plain] = refusalWords[fault.reason] ?? ['MILLRACE_EVENT_INVALID', fault.reason];
  const context = frames ? {} : { file: intake.file ?? 'the source', line: fault.line, byteOffset: offset + start };
  return {
    reason: fault.reason,
    message: plain,
    error: new MillraceError(code, `${plain}${fault.text === '' ? '' : `: ${fault.text}`}${place}`, { context }),
    subject: null,
    file: intake.file,
    line: fault.line,
    byteOffset: offset + start,
    byteEnd: offset + fault.end,
    raw: ring.bytes.slice(area + start, Math.min(area + fault.end, area + start + RAW_BYTES_MAX)),
    encoding: frames ? 'msgpack' : 'input',
    ...(fault.end - start > RAW_BYTES_MAX ? { whole: { bytes: fault.end - start, sha256: null } } : {}),
    attempts: 1,
  };
}

function payloadStart(ring: Ring, at: number): number {
  const frame = new FrameReader();
  frame.read(ring.bytes, at);
  return frame.payloadStart;
}

/** The events of a batch that failed for good, one refusal each. */
export function* refusalsOfBatch(
  ring: Ring,
  batch: { row: number; subject: string; error: MillraceError; attempts: number },
): Generator<Refusal> {
  const { row, subject, error, attempts } = batch;
  const payload = ring.bytes.slice(ring.words[row + BatchWord.payloadStart]! >>> 0, ring.words[row + BatchWord.end]! >>> 0);
  const headers = Buffer.from(
    ring.bytes.slice(ring.words[row + BatchWord.start]! >>> 0, ring.words[row + BatchWord.payloadStart]! >>> 0),
  ).toString();
  const many = headers.includes('\r\nMillrace-Count: ');
  let at = many ? arrayHeadBytes(payload[0]!) : 0;
  for (let index = 0; index < ring.words[row + BatchWord.count]!; index += 1) {
    const next = skipValue(payload, at, payload.length);
    const raw = payload.subarray(at, next < 0 ? payload.length : next);
    yield {
      reason: 'broker',
      message: error.message,
      error,
      subject,
      file: null,
      line: 0,
      byteOffset: 0,
      byteEnd: 0,
      raw,
      encoding: 'msgpack',
      attempts,
    };
    if (next < 0) return;
    at = next;
  }
}

function arrayHeadBytes(first: number): number {
  if (first === 0xdd) return 5;
  return first === 0xdc ? 3 : 1;
}
