/** `publish` and `tryPublish`: one encode and one copy into the open slab on this thread, one promise per call and nothing else. */
import { FrameFiller } from './frame-filler.ts';
import type { FrameIntake } from './frame-filler.ts';
import type { LedgerBook } from './ledger.ts';
import type { Outbound } from './outbound.ts';
import type { Parts } from './parts.ts';
import type { Caller } from './ticket.ts';
import { headerBlockBytes } from '../codec/header-block.ts';
import { packEventForNow } from '../codec/msgpack.ts';
import { checkSubject } from '../codec/subject.ts';
import { MillraceError } from '../api/errors.ts';
import type { Headers, PublishOptions, Receipt } from '../api/event.ts';
import type { FrameParts } from '../memory/frames.ts';
import type { PipelineDescription, PipelineTable } from '../memory/pipeline.ts';

const NO_BYTES = new Uint8Array(0);
const ID_BYTES_MAX = 256;
const KEY_HEADER = 'Millrace-Key';
const RESERVED = /^(?:nats-|millrace-|content-type$)/i;
const WAITERS_MAX = 65_536;
const SUBJECTS_KEPT_MAX = 4_096; // Encoded subjects remembered; cleared when full.

export interface LaneParts {
  readonly outbound: Outbound;
  readonly pipelines: PipelineTable;
  readonly nonce: string;
  readonly book: LedgerBook;
  readonly deadLetters: string;
}

// One executor for all promises: a closure for each would be an allocation more.
let resolveKept: Caller['resolve'];
let rejectKept: Caller['reject'];
const keepSettlers = (resolve: Caller['resolve'], reject: Caller['reject']): void => {
  resolveKept = resolve;
  rejectKept = reject;
};

export class PublishLane implements FrameIntake {
  readonly book: LedgerBook;
  readonly pipelineSlot: number;
  readonly pipelineVersion: number;
  readonly userCode = false;
  readonly strict: boolean;
  readonly deadLetters: string;
  readonly file = null;
  lines = 0;
  stopped = false;
  readonly #parts: Parts;
  readonly #outbound: Outbound;
  readonly #filler: FrameFiller;
  readonly #subjects: Map<string, Uint8Array> = new Map();
  /** Stands for all callers of `tryPublish`: what becomes of their events they hear as `error` events. */
  readonly #unheard: Caller = { subject: '', resolve: () => undefined, reject: (error) => this.#parts.signals.emit('error', error) };
  #waiters = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: Parts, { outbound, pipelines, nonce, book, deadLetters }: LaneParts) {
    this.#parts = parts;
    this.#outbound = outbound;
    this.book = book;
    this.strict = parts.options.ordering === 'strict';
    this.deadLetters = deadLetters;
    const { slot, version } = pipelines.open(describe(parts, nonce));
    this.pipelineSlot = slot;
    this.pipelineVersion = version;
    this.#filler = new FrameFiller({ ring: parts.ring, outbound, lingerMs: parts.options.lingerMs }, this);
  }

  /** Throws, or rejects. */
  publish(subject: string, event: unknown, options: PublishOptions): Promise<Receipt> {
    if (options.signal?.aborted === true) throw aborted(options.signal);
    const frame = this.#frame(subject, event, options);
    const receipt = this.#waiters > 0 ? null : this.#append(frame, subject);
    // Whoever waits keeps a copy: the next call packs over the payload.
    return receipt ?? this.#publishLater({ ...frame, payload: frame.payload.slice() }, subject, options.signal);
  }

  tryPublish(subject: string, event: unknown, options: PublishOptions): boolean {
    const frame = this.#frame(subject, event, options);
    if (this.#waiters > 0) return false;
    return this.#filler.tryAppend(frame, this.#unheard);
  }

  /** Resolves when the calls that wait for room now have got it, or have failed. */
  async entered(): Promise<void> {
    await this.#turn;
  }

  /** Sends the open slab now. */
  dispatch(): void {
    this.#filler.dispatch();
  }

  dispatched(): void {
    // Slabs of the lane are waited for by sequence (engine.flush).
  }

  released(): void {
    this.#filler.released();
  }

  fail(error: MillraceError): void {
    this.#parts.signals.emit('error', error);
  }

  /** Null = no slab is free. */
  #append(frame: FrameParts, subject: string): Promise<Receipt> | null {
    const receipt = new Promise<Receipt>(keepSettlers);
    return this.#filler.tryAppend(frame, { subject, resolve: resolveKept, reject: rejectKept }) ? receipt : null;
  }

  /** Waiting callers go one after the other, oldest first. */
  async #publishLater(frame: FrameParts, subject: string, signal: AbortSignal | undefined): Promise<Receipt> {
    const { onFull } = this.#parts.options;
    if (onFull !== 'block' || this.#waiters === WAITERS_MAX) {
      if (onFull === 'drop-newest') {
        this.book.add('accepted', 1);
        this.book.add('dropped', 1);
      }
      throw new MillraceError(
        'MILLRACE_FULL',
        onFull === 'block' ? `${WAITERS_MAX} publish calls wait already` : `every slab is in use and onFull is ${onFull}`,
      );
    }
    this.#waiters += 1;
    const before = this.#turn;
    let leave = (): void => undefined;
    this.#turn = new Promise<void>((resolve) => (leave = resolve));
    let receipt: Promise<Receipt> | null = null;
    try {
      await orAborted(before, signal);
      for (receipt = this.#append(frame, subject); receipt === null; receipt = this.#append(frame, subject)) {
        if (this.#outbound.closed) throw new MillraceError('MILLRACE_CLOSED', 'the processor was closed while publish waited for room');
        await orAborted(this.#outbound.whenReleased(), signal);
      }
    } finally {
      this.#waiters -= 1;
      if (receipt === null) void before.then(() => leave()); // It may have gone before its turn came: those after it still wait for those before.
      else leave();
    }
    return receipt;
  }

  #frame(subject: string, event: unknown, { id, headers, key }: PublishOptions): FrameParts {
    const idBytes = id === undefined ? NO_BYTES : Buffer.from(id);
    if (id !== undefined && (idBytes.length === 0 || idBytes.length > ID_BYTES_MAX || /[\r\n\0]/.test(id))) {
      throw new MillraceError(
        'MILLRACE_EVENT_INVALID',
        `id: ${idBytes.length} B; an id has 1 to ${ID_BYTES_MAX} bytes and no line breaks`,
        { context: { subject } },
      );
    }
    const payload = packEventForNow(event);
    const lines = key === undefined ? headers : { ...headers, [KEY_HEADER]: key };
    const frame = { subject: this.#subject(subject), id: idBytes, headers: lines === undefined ? NO_BYTES : headerLines(lines), payload };
    const bytes = payload.length + frame.headers.length;
    if (bytes > this.#parts.options.maxEventBytes) {
      throw new MillraceError('MILLRACE_EVENT_TOO_LARGE', `${bytes} B > ${this.#parts.options.maxEventBytes} B (maxEventBytes)`, {
        context: { subject },
      });
    }
    return frame;
  }

  #subject(subject: string): Uint8Array {
    const known = this.#subjects.get(subject);
    if (known !== undefined) return known;
    checkSubject(subject);
    if (this.#subjects.size === SUBJECTS_KEPT_MAX) this.#subjects.clear();
    const bytes = Buffer.from(subject);
    this.#subjects.set(subject, bytes);
    return bytes;
  }
}

/** Hears an abort while it waits: the broker may be silent for long, and then nothing is released. */
async function orAborted(wait: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return wait;
  let stop = (): void => undefined;
  const abort = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([wait, abort]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const aborted = (signal: AbortSignal): MillraceError =>
  new MillraceError('MILLRACE_ABORTED', 'publish was aborted before there was room for the event: it was not taken', {
    cause: signal.reason,
  });

function headerLines(headers: Headers): Uint8Array {
  for (const name of Object.keys(headers)) {
    if (RESERVED.test(name) && name !== KEY_HEADER)
      throw new MillraceError('MILLRACE_HEADER_INVALID', `header ${name}: names of this kind are Millrace's and the broker's own`);
  }
  const block = headerBlockBytes(headers);
  return block.length === 0 ? NO_BYTES : block.subarray(block.indexOf(10) + 1, block.length - 2);
}

/** Every frame brings its own subject; ids are given one by one, and each of them goes through the window. */
function describe({ options, broker }: Parts, nonce: string): PipelineDescription {
  return {
    format: 'msgpack',
    csvHeader: null,
    subject: 'events',
    id: 'none',
    framing: options.framing ?? 'each',
    batchBytes: options.batchBytes,
    batchEvents: options.batchEvents,
    eventBytesMax: options.maxEventBytes,
    transform: null,
    schema: null,
    messageIds: broker.kind === 'jetstream' || broker.kind === 'dedupe',
    headers: null,
    source: '',
    file: null,
    windowed: true,
    nonce,
  };
}
