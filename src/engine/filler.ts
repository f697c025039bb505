/** Reads a source of bytes straight into slabs, cut at record borders; nothing here is per event. */
import type { ByteIntake } from './byte-intake.ts';
import { markBytes } from './byte-order-mark.ts';
import { LongRecord } from './long-record.ts';
import type { Outbound } from './outbound.ts';
import type { ByteSource } from './source-types.ts';
import { starves } from './starving.ts';
import { Tail } from './tail.ts';
import type { Caller } from './ticket.ts';
import { createCutter } from '../codec/cutter.ts';
import type { Cutter } from '../codec/cutter.ts';
import type { Format } from '../api/options.ts';
import { SlabForm } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

const MORE_BYTES_MIN = 64; // Read at least, when a limited rate asks for less than the record that has begun.

const NO_CALLERS: (Caller | undefined)[] = [];

export interface FillerParts {
  readonly ring: Ring;
  readonly outbound: Outbound;
  readonly source: ByteSource;
  readonly intake: ByteIntake;
  readonly format: Format;
  readonly eventBytesMax: number;
  /** Place of the source's first byte. */
  readonly from: number;
}

export class Filler {
  readonly #parts: FillerParts;
  readonly #cutter: Cutter;
  readonly #signal: AbortSignal | undefined;
  #slab = -1;
  #area = 0; // Absolute start of the slab's in area, and its size.
  #areaBytes = 0;
  #filled = 0;
  #from = 0; // First byte of the slab that counts.
  #offset = 0; // Of the slab's byte 0 in the source.
  #ended = false;
  readonly #tryClaim = (): number => this.#parts.outbound.tryClaim();
  readonly #tail: Tail = new Tail(); // The record begun at the end of the last slab.

  constructor(parts: FillerParts, signal: AbortSignal | undefined) {
    this.#parts = parts;
    this.#cutter = createCutter(parts.format);
    this.#offset = parts.from;
    this.#signal = signal;
  }

  /** Resolves when all of the source is in slabs that have been dispatched; throws what the source throws. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } finally {
      if (this.#slab >= 0) this.#parts.ring.abandon(this.#slab);
      this.#slab = -1;
    }
  }

  /** Once per slab: a promise is made only where there is something to wait for. */
  async #run(): Promise<void> {
    const { ring, source, outbound, intake } = this.#parts;
    while (!this.#done()) {
      if (this.#slab < 0 && source.ready !== undefined) await source.ready(); // A source that lets one wait holds no slab meanwhile.
      if (!this.#claimNow()) {
        if (intake.waitsForSlab) await outbound.whenReleased();
        else if (!(await this.#claim())) return;
        continue;
      }
      const goal = this.#goal();
      while (!this.#ended && this.#filled < goal) {
        const bytes = await source.read(ring.bytes, this.#area + this.#filled, this.#area + goal);
        this.#took(bytes);
        if (source.bytesTotal === null && bytes > 0 && (outbound.eager || (await starves(source, outbound)))) break;
      }
      const cutting = this.#cut();
      if (cutting !== null) await cutting;
    }
  }

  #done(): boolean {
    return (this.#ended && this.#tail.length === 0) || this.#parts.intake.full || this.#signal?.aborted === true;
  }

  /** False = it must be waited for. */
  #claimNow(): boolean {
    if (this.#slab >= 0) return true;
    this.#begin(this.#parts.intake.claimNow(this.#tryClaim));
    return this.#slab >= 0;
  }

  /** False = the job has ended meanwhile. */
  async #claim(): Promise<boolean> {
    const { ring, intake } = this.#parts;
    await intake.pace();
    if (intake.drops && ring.freeCount === 0) await this.#dropNewest();
    this.#begin(await intake.claim(this.#tryClaim));
    return this.#slab >= 0;
  }

  /** Goes on with the record begun in the last slab. */
  #begin(slab: number): void {
    const { ring } = this.#parts;
    this.#take(slab);
    if (slab < 0) return;
    this.#tail.putInto(ring.bytes, this.#area);
    this.#filled = this.#tail.length;
    this.#tail.clear();
  }

  #take(slab: number): void {
    const { ring } = this.#parts;
    this.#slab = slab;
    if (slab < 0) return;
    this.#area = ring.start(slab) + ring.shape(slab).inStart;
    this.#areaBytes = ring.shape(slab).inBytes;
    this.#from = 0;
  }

  /** The slab is read until it holds so many bytes, the source ends, or it has nothing at hand while a worker is idle. */
  #goal(): number {
    return Math.min(this.#areaBytes, Math.max(this.#parts.intake.goalBytes(), this.#filled + MORE_BYTES_MIN));
  }

  #took(bytes: number): void {
    const { ring, intake } = this.#parts;
    if (bytes === 0) this.#ended = true;
    this.#filled += bytes;
    intake.read(bytes);
    if (this.#offset === 0 && this.#from === 0) this.#from = markBytes(ring.bytes, this.#area, this.#area + this.#filled);
  }

  /** Null = done. */
  #cut(): Promise<void> | null {
    const { ring, intake } = this.#parts;
    const start = this.#area + this.#from;
    const end = this.#area + this.#filled;
    if (intake.wantsHeader && !this.#takeHeader(start, end)) return null;
    const from = this.#area + this.#from;
    const whole = this.#cutter.cut(ring.bytes, from, end, this.#ended);
    if (whole === from && end > from) {
      if (this.#filled === this.#areaBytes) return this.#tooLongForSlab();
      if (this.#ended) this.#dispatch(end);
      return null; // More is needed before anything is whole.
    }
    const cut = intake.limitCut(ring.bytes, from, whole);
    this.#tail.keep(ring.bytes, cut, end);
    this.#dispatch(cut);
    return null;
  }

  /** The first row of a CSV source names its columns; it is no record. */
  #takeHeader(start: number, end: number): boolean {
    const { ring, intake } = this.#parts;
    const after = intake.takeHeader(ring.bytes, { start, end, final: this.#ended });
    if (after < 0) return false; // Not whole yet.
    this.#from = after - this.#area;
    return true;
  }

  #dispatch(cut: number): void {
    const { ring, outbound, intake } = this.#parts;
    const inBytes = cut - this.#area;
    if (inBytes === this.#from) {
      ring.abandon(this.#slab);
    } else {
      intake.dispatched(ring.nextSequence, this.#offset + inBytes);
      outbound.dispatch(this.#slab, {
        intake,
        form: SlabForm.bytes,
        inBytes,
        inFrom: this.#from,
        offset: this.#offset,
        callers: NO_CALLERS,
      });
    }
    this.#offset += inBytes;
    this.#slab = -1;
  }

  /** A full slab without a border: the record gets the jumbo slab, or is refused when it does not even fit there. */
  async #tooLongForSlab(): Promise<void> {
    const { ring, outbound, intake, eventBytesMax } = this.#parts;
    if (this.#slab === ring.layout.slabs || this.#filled - this.#from > eventBytesMax + 2) {
      await this.#refuseRest();
      return;
    }
    const [slab, start, end] = [this.#slab, this.#area + this.#from, this.#area + this.#filled];
    const head = ring.bytes.slice(start, end);
    ring.abandon(slab);
    this.#offset += this.#from;
    this.#take(await intake.claim(() => outbound.tryClaimJumbo()));
    if (this.#slab < 0) return;
    this.#areaBytes = Math.min(this.#areaBytes, eventBytesMax + 2); // With its line end.
    ring.bytes.set(head, this.#area);
    this.#filled = head.length;
  }

  /** `drop-newest`: while no slab is free the source is read on and its records are counted, not kept. */
  async #dropNewest(): Promise<void> {
    const { ring, source, intake } = this.#parts;
    const room = new Uint8Array(this.#tail.length + ring.layout.slab.inBytes);
    while (ring.freeCount === 0 && !this.#ended && this.#signal?.aborted !== true) {
      this.#tail.putInto(room, 0);
      const start = this.#tail.length;
      const bytes = await source.read(room, start, Math.min(room.length, start + ring.layout.slab.inBytes));
      if (bytes === 0) this.#ended = true;
      intake.read(bytes);
      const whole = this.#cutter.cut(room, 0, start + bytes, this.#ended);
      this.#tail.keep(room, whole, start + bytes);
      this.#offset += whole;
      intake.drop(room, whole);
      await new Promise<void>((resolve) => setImmediate(resolve)); // Acks must come in, or no slab is ever free.
    }
  }

  /** Longer than any slab. An empty slab stands for it in the line, so that its line number, and those after it, are right. */
  async #refuseRest(): Promise<void> {
    const { ring, source, intake, outbound } = this.#parts;
    const { bytes } = ring;
    const offset = this.#offset + this.#from;
    const long = new LongRecord();
    for (;;) {
      const end = this.#area + this.#filled;
      const next = this.#cutter.resync(bytes, this.#area + this.#from, end);
      const until = next < 0 ? end : next;
      long.add(bytes, this.#area + this.#from, until);
      if (next >= 0 || this.#ended) {
        this.#tail.keep(bytes, until, end);
        break;
      }
      this.#from = 0;
      this.#filled = await source.read(bytes, this.#area, this.#area + this.#areaBytes);
      if (this.#filled === 0) this.#ended = true;
      intake.read(this.#filled);
      if (this.#signal?.aborted === true) break;
    }
    const early = { linesBefore: 0, lines: long.lines, refuse: intake.tooLong({ offset, ...long.seen() }) };
    this.#offset = offset + long.length;
    intake.dispatched(ring.nextSequence, this.#offset);
    outbound.dispatch(this.#slab, { intake, form: SlabForm.bytes, inBytes: 0, inFrom: 0, offset, callers: NO_CALLERS, early });
    this.#slab = -1;
  }
}
