/** Puts single events into slabs as frames: the open slab is filled while others are at work, and goes as soon as that pays. */
import type { Outbound } from './outbound.ts';
import type { Caller, Intake } from './ticket.ts';
import { frameBytes, writeFrame } from '../memory/frames.ts';
import type { FrameParts } from '../memory/frames.ts';
import { SlabForm } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

const NOW: Promise<void> = Promise.resolve();

export interface FrameIntake extends Intake {
  dispatched(): void;
}

export class FrameFiller {
  readonly #ring: Ring;
  readonly #outbound: Outbound;
  readonly #intake: FrameIntake;
  readonly #lingerMs: number;
  #slab = -1;
  #area = 0;
  #areaEnd = 0;
  #at = 0;
  #records = 0;
  #recordsMax = 0;
  #callers: (Caller | undefined)[] = [];
  #scheduled = false;
  #underway = 0; // Slabs of ours that are not released.
  readonly #send = (): void => {
    this.#scheduled = false;
    // Else it goes when it is full or when one of ours comes back. The slabs of others say nothing: beside an ingest that never runs dry it would wait for ever.
    if (this.#outbound.eager || this.#underway === 0) this.dispatch();
  };

  constructor(parts: { readonly ring: Ring; readonly outbound: Outbound; readonly lingerMs: number }, intake: FrameIntake) {
    this.#ring = parts.ring;
    this.#outbound = parts.outbound;
    this.#lingerMs = parts.lingerMs;
    this.#intake = intake;
  }

  /** Takes the event, or says false: no slab is free. */
  tryAppend(parts: FrameParts, caller: Caller | undefined): boolean {
    const bytes = frameBytes(parts);
    if (this.#slab >= 0 && (this.#at + bytes > this.#areaEnd || this.#records === this.#recordsMax)) this.dispatch();
    if (this.#slab < 0 && !this.#claim(bytes)) return false;
    this.#at = writeFrame(this.#ring.bytes, this.#at, parts);
    if (caller !== undefined) this.#callers[this.#records] = caller;
    this.#records += 1;
    if (!this.#scheduled) this.#schedule();
    return true;
  }

  /** Sends what the open slab holds. */
  dispatch(): void {
    if (this.#slab < 0) return;
    const slab = this.#slab;
    const callers = this.#callers;
    this.#slab = -1;
    this.#callers = [];
    this.#underway += 1;
    this.#intake.dispatched();
    this.#outbound.dispatch(slab, {
      intake: this.#intake,
      form: SlabForm.frames,
      inBytes: this.#at - this.#area,
      inFrom: 0,
      offset: 0,
      callers,
    });
  }

  /** A slab came back: with room again a partly filled one need not wait longer. */
  released(): void {
    this.#underway -= 1;
    if (this.#slab >= 0 && !this.#scheduled) this.#schedule();
  }

  #claim(bytes: number): boolean {
    const jumbo = bytes > this.#ring.layout.slab.inBytes;
    this.#slab = jumbo ? this.#outbound.tryClaimJumbo() : this.#outbound.tryClaim();
    if (this.#slab < 0) return false;
    const shape = this.#ring.shape(this.#slab);
    this.#area = this.#at = this.#ring.start(this.#slab) + shape.inStart;
    this.#areaEnd = this.#area + shape.inBytes;
    this.#records = 0;
    this.#recordsMax = shape.recordsMax;
    return true;
  }

  /** After the current turn of the caller: a loop of publishes fills one slab. */
  #schedule(): void {
    this.#scheduled = true;
    if (this.#lingerMs > 0) setTimeout(this.#send, this.#lingerMs);
    else void NOW.then(this.#send); // A quarter of what queueMicrotask allocates.
  }
}
