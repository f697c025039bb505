/** The stages of Millrace's workers on a memory of their own, so that they can be driven and timed without an engine. */
import { existsSync, readFileSync } from 'node:fs';
import { SlabRunner } from '../../workers/runner.ts';
import { BATCH_WORDS, BatchWord, SlabForm, SlabWord } from '../../src/memory/layout.ts';
import { PipelineTable } from '../../src/memory/pipeline.ts';
import { Ring } from '../../src/memory/ring.ts';
import { DedupeWindow, windowBytes } from '../../src/memory/window.ts';

/** One finished message: payload, and the id that its header block would carry. */
export interface CopiedBatch {
  readonly payload: Uint8Array;
  readonly id: string;
  readonly count: number;
}

const KERNEL = new URL('../../workers/kernel.wasm', import.meta.url);
const CAPACITY = 4_194_304;
export const SLAB_BYTES = 262_144;
const MESSAGE_BYTES_MAX = 1_048_576;
const BATCH_BYTES = 524_288;
const BATCH_EVENTS = 65_536;
const WINDOW_MS = 120_000;

export interface StagesOptions {
  readonly id?: '/id' | 'none';
  readonly kernel?: boolean;
  /** Ids that the window can hold. */
  readonly capacity?: number;
}

export class PrivateStages {
  readonly #ring: Ring;
  readonly #runner: SlabRunner;
  readonly #pipeline: { readonly slot: number; readonly version: number };

  constructor({ id = '/id', kernel = true, capacity = CAPACITY }: StagesOptions = {}) {
    this.#ring = Ring.create({
      slabs: 2,
      slabBytes: SLAB_BYTES,
      workers: 1,
      eventBytesMax: SLAB_BYTES,
      windowBytes: windowBytes(capacity),
    });
    const window = new DedupeWindow(this.#ring, capacity);
    window.format({ windowMs: WINDOW_MS, nowMs: Date.now() });
    this.#runner = new SlabRunner(this.#ring, 0, window, kernel && existsSync(KERNEL) ? readFileSync(KERNEL) : null);
    this.#pipeline = new PipelineTable(this.#ring).open({
      format: 'ndjson',
      csvHeader: null,
      subject: 'bench.events',
      id,
      framing: 'batch',
      batchBytes: BATCH_BYTES,
      batchEvents: BATCH_EVENTS,
      eventBytesMax: SLAB_BYTES,
      transform: null,
      schema: null,
      messageIds: true,
      headers: null,
      source: '',
      file: null,
      windowed: id !== 'none',
      nonce: 'clone',
    });
  }

  /** Copies the chunk in, runs every stage, and copies the batches out. */
  run(chunk: Uint8Array): CopiedBatch[] {
    const slab = this.#fill(chunk);
    this.#execute(slab);
    const batches = this.#take(slab);
    this.#release(slab);
    return batches;
  }

  /** The same without the copy out: the events in batches. */
  count(chunk: Uint8Array): number {
    const slab = this.#fill(chunk);
    this.#execute(slab);
    const events = this.#ring.get(slab, SlabWord.events);
    this.#release(slab);
    return events;
  }

  #fill(chunk: Uint8Array): number {
    const ring = this.#ring;
    const slab = ring.claim();
    ring.bytes.set(chunk, ring.start(slab) + ring.shape(slab).inStart);
    const words = {
      form: SlabForm.bytes,
      inBytes: chunk.length,
      inFrom: 0,
      recordFrom: 0,
      recordsLimit: 0,
      run: 0,
      retake: 0,
      suspect: -1,
      offsetLow: 0,
      offsetHigh: 0,
    };
    for (const [name, value] of Object.entries(words)) ring.set(slab, SlabWord[name as keyof typeof words], value);
    ring.set(slab, SlabWord.pipeline, this.#pipeline.slot);
    ring.set(slab, SlabWord.pipelineVersion, this.#pipeline.version);
    ring.set(slab, SlabWord.messageBytesMax, MESSAGE_BYTES_MAX);
    ring.dispatch(slab);
    return slab;
  }

  #execute(slab: number): void {
    if (this.#runner.prepare(slab) !== null) throw new Error('there is no user code');
    this.#ring.begin(slab);
    this.#runner.run(slab);
    if (this.#ring.get(slab, SlabWord.stopped) === 1) throw new Error('the chunk was too dense for its slab');
    this.#ring.commit(slab);
  }

  #release(slab: number): void {
    this.#ring.settleBelow((this.#ring.get(slab, SlabWord.sequence) + 1) | 0);
    this.#ring.release(slab);
  }

  #take(slab: number): CopiedBatch[] {
    const { bytes, words } = this.#ring;
    const first = (this.#ring.start(slab) + this.#ring.shape(slab).batchStart) / 4;
    return Array.from({ length: this.#ring.get(slab, SlabWord.batches) }, (_, index) => {
      const row = first + index * BATCH_WORDS;
      const [start, payloadStart, end] = [words[row + BatchWord.start]!, words[row + BatchWord.payloadStart]!, words[row + BatchWord.end]!];
      const head = Buffer.from(bytes.slice(start, payloadStart)).toString('latin1');
      return {
        payload: bytes.slice(payloadStart, end),
        id: /Nats-Msg-Id: ?([^\r]+)/.exec(head)?.[1] ?? '',
        count: words[row + BatchWord.count]!,
      };
    });
  }
}
