/**
 * One lane through the slabs: one at work, so that events of its keys stay in order, and those filled behind it. One of these every lane
 * has for itself; more it takes from spares that all lanes share, so that a thread has work while the next messages are asked for.
 */
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

const LANES_MIN = 8;
export const LANES_MAX = 64;
export const SPARE_SLABS = 4;

/** Slabs that lanes may fill beside their own. */
export class Spares {
  left: number = SPARE_SLABS;

  /** No more should be pulled: what was asked for before still finds room. */
  get scarce(): boolean {
    return this.left < SPARE_SLABS / 2;
  }
}

/** More than threads, so that a few subjects spread over them; a single one keeps all in order. */
export function laneCount(concurrency: number): number {
  return concurrency === 1 ? 1 : Math.min(LANES_MAX, Math.max(LANES_MIN, concurrency));
}

export function laneIndex(key: string, lanes: number): number {
  let hash = 0x811c_9dc5; // FNV-1a.
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x0100_0193);
  return ((hash ^ (hash >>> 15)) >>> 0) % lanes;
}

interface FilledSlab {
  readonly slab: number;
  readonly frames: FrameOf[];
  at: number;
  readonly end: number;
}

export class SlabLane {
  /** Runs events that killed their thread, one in a slab, in a thread with nothing beside it. */
  readonly alone: boolean;
  readonly waiting: Waiting[] = [];
  /** Number of the run that its pool is to tell of; a word on an earlier one says nothing new. */
  run = 0;
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
  readonly #spares: Spares | null;
  /** The last one is being filled. */
  readonly #filled: FilledSlab[] = [];

  /** Without spares it is the lane that runs one event at a time. */
  constructor(ring: Ring, writer: FrameWriter, spares: Spares | null) {
    this.#ring = ring;
    this.#writer = writer;
    this.#spares = spares;
    this.alone = spares === null;
  }

  /** Events of the run at work that a worker has handed over so far: what it writes down as it goes. */
  get handing(): number {
    return this.working < 0 ? 0 : this.#ring.get(this.working, SlabWord.events);
  }

  get isReady(): boolean {
    return this.working < 0 && this.#filled.length > 0;
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

  /** The first filled slab becomes the one at work; gives its bytes. */
  begin(): number {
    const { slab, frames, at } = this.#filled.shift()!;
    if (this.#filled.length > 0) this.#spares!.left += 1;
    this.working = slab;
    this.frames = frames;
    this.from = this.blameless = 0;
    return at - this.#inStart(slab);
  }

  /** Nothing is at work any more, and what the pool still has to say of it is no news. */
  end(): void {
    this.working = -1;
    this.run += 1;
  }

  #tryWrite({ message, payload, retry }: Waiting): boolean {
    const bytes = this.#writer.prepare(message.subject, message.headers, payload);
    const into = this.#roomFor(bytes);
    if (into === null) return false;
    const { sequence, timeMs, redeliveries, weight } = message;
    const part = retry ?? { attempts: 0, form: ElementForm.message, index: 0 };
    into.frames.push({ message, attempts: part.attempts, at: into.at - this.#inStart(into.slab) });
    const { attempts, form, index } = part;
    into.at = this.#writer.write(into.at, { sequence, timeMs, redeliveries, attempts, form, index, count: weight });
    return true;
  }

  #roomFor(bytes: number): FilledSlab | null {
    const last = this.#filled.at(-1);
    if (last !== undefined && this.#spares !== null && last.at + bytes <= last.end) return last;
    if (last !== undefined && (this.#spares === null || this.#spares.left === 0)) return null;
    const slab = this.#claim(bytes);
    if (slab < 0) return null;
    if (last !== undefined) this.#spares!.left -= 1;
    const at = this.#inStart(slab);
    const filled: FilledSlab = { slab, frames: [], at, end: at + this.#ring.shape(slab).inBytes };
    this.#filled.push(filled);
    return filled;
  }

  /** The jumbo slab is shared by all lanes: it is taken only when it can run next. */
  #claim(bytes: number): number {
    if (bytes <= this.#ring.layout.slab.inBytes) return this.#ring.claim();
    return this.working >= 0 || this.#filled.length > 0 ? -1 : this.#ring.claimJumbo();
  }

  #inStart(slab: number): number {
    return this.#ring.start(slab) + this.#ring.shape(slab).inStart;
  }
}
