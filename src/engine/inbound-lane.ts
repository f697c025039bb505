/** One lane through the slabs: at most one slab at work and one being filled, so events of its keys stay in order and memory stays bounded. */
import type { FrameOf } from './inbound-outcomes.ts';
import type { MessageInHand, Retry } from './inbound-message.ts';
import { ElementForm } from '../../workers/inbound-message.ts';
import type { FrameWriter } from '../../workers/inbound-frame.ts';
import { SlabWord } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

/** What waits for room, as a private copy. */
export interface Waiting {
  readonly message: MessageInHand;
  readonly payload: Uint8Array;
  readonly retry: Retry | null;
}

export class SlabLane {
  /** Runs events that killed their thread, one in a slab, in a thread with nothing beside it. */
  readonly alone: boolean;
  readonly waiting: Waiting[] = [];
  /** Slab at work, and its frames; -1 = none. */
  working = -1;
  frames: FrameOf[] = [];
  /** Frame with which the run at work begins. */
  from = 0;
  /** Crashes of it that no event is to blame for. */
  blameless = 0;
  /** In line for a thread. */
  listed = false;
  readonly #ring: Ring;
  readonly #writer: FrameWriter;
  #filling = -1;
  #filled: FrameOf[] = [];
  #at = 0;
  #end = 0;

  constructor(ring: Ring, writer: FrameWriter, alone: boolean) {
    this.#ring = ring;
    this.#writer = writer;
    this.alone = alone;
  }

  /** Events of the run at work that a worker has handed over so far: what it writes down as it goes. */
  get handing(): number {
    return this.working < 0 ? 0 : this.#ring.get(this.working, SlabWord.events);
  }

  get isReady(): boolean {
    return this.working < 0 && this.#filling >= 0;
  }

  /** Straight from the broker's view into the slab; false = no room, or others wait already. */
  tryTake(waiting: Waiting): boolean {
    return this.waiting.length === 0 && this.#tryWrite(waiting);
  }

  /** Room again: those that wait go in, in order. */
  refill(): void {
    let taken = 0;
    while (taken < this.waiting.length && this.#tryWrite(this.waiting[taken]!)) taken += 1;
    this.waiting.splice(0, taken);
  }

  /** The filled slab becomes the one at work; gives its bytes. */
  begin(): number {
    const slab = this.#filling;
    const bytes = this.#at - this.#ring.start(slab) - this.#ring.shape(slab).inStart;
    this.working = slab;
    this.frames = this.#filled;
    this.from = this.blameless = 0;
    this.#filling = -1;
    this.#filled = [];
    return bytes;
  }

  #tryWrite({ message, payload, retry }: Waiting): boolean {
    const bytes = this.#writer.prepare(message.subject, message.headers, payload);
    if (this.#filling >= 0 && (this.alone || this.#at + bytes > this.#end)) return false;
    if (this.#filling < 0 && !this.#claim(bytes)) return false;
    const { sequence, timeMs, redeliveries, weight } = message;
    const part = retry ?? { attempts: 0, form: ElementForm.message, index: 0 };
    this.#filled.push({
      message,
      attempts: part.attempts,
      at: this.#at - this.#ring.start(this.#filling) - this.#ring.shape(this.#filling).inStart,
    });
    const { attempts, form, index } = part;
    this.#at = this.#writer.write(this.#at, { sequence, timeMs, redeliveries, attempts, form, index, count: weight });
    return true;
  }

  /** The jumbo slab is shared by all lanes: it is taken only when it can run next. */
  #claim(bytes: number): boolean {
    const jumbo = bytes > this.#ring.layout.slab.inBytes;
    if (jumbo && this.working >= 0) return false;
    this.#filling = jumbo ? this.#ring.claimJumbo() : this.#ring.claim();
    if (this.#filling < 0) return false;
    const shape = this.#ring.shape(this.#filling);
    this.#at = this.#ring.start(this.#filling) + shape.inStart;
    this.#end = this.#at + shape.inBytes;
    return true;
  }
}
