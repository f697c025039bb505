/**
 * The inbound ring: messages are copied from the broker's view into slabs, and workers hand their events to the user's handler.
 * Free slabs are the backpressure; a thread that dies costs at most the one event it died over.
 *
 *   take ─► fill slab of its lane ─► dispatch ─► [worker: unbatch · decode · handler] ─► outcomes ─► settle ─► free slab
 */
import type { EventRunner, RunnerHost } from './inbound.ts';
import { laneCount, laneIndex, SlabLane, SPARE_SLABS, Spares } from './inbound-lane.ts';
import type { Waiting } from './inbound-lane.ts';
import type { MessageInHand, Retry } from './inbound-message.ts';
import { hasOutcome, settleRun, takeOut } from './inbound-outcomes.ts';
import type { HandlerPool } from './inbound-pool.ts';
import { keyOf } from './lanes.ts';
import type { HandlerSetup } from '../../workers/inbound-entry.ts';
import { FrameWriter, InboundWord } from '../../workers/inbound-frame.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import { SlabState, SlabWord } from '../memory/layout.ts';
import { Ring } from '../memory/ring.ts';

const KIB = 1_024;
/** A slab takes a whole message of the usual limits; larger ones go through the jumbo slab, one at a time. */
const SLAB_BYTES_MAX = 1_152 * KIB;
const BLAMELESS_MAX = 3;
const HEADER_BYTES_USUAL = 64 * KIB;
const WORKINGS_MS = 1_000;

export interface SlabsOptions extends Omit<HandlerSetup, 'shared'> {
  readonly pool: HandlerPool;
  /** Lanes at work at once. */
  readonly concurrency: number;
  readonly slabBytes: number;
  readonly messageBytesMax: number;
  readonly maxEventBytes: number;
}

export class InboundSlabs implements EventRunner {
  readonly #host: RunnerHost;
  readonly #options: SlabsOptions;
  readonly #ring: Ring;
  readonly #id: number;
  readonly #lanes: readonly SlabLane[];
  readonly #alone: SlabLane;
  readonly #spares: Spares = new Spares();
  readonly #line: SlabLane[] = []; // Filled, and waiting for a place.
  #active = 0;
  #waiting = 0; // Messages for which no slab had room.
  #scheduled = false;
  #stopped = false;
  readonly #writer: FrameWriter;
  readonly #timer: NodeJS.Timeout;

  constructor(host: RunnerHost, options: SlabsOptions) {
    this.#host = host;
    this.#options = options;
    const lanes = laneCount(options.concurrency);
    const slabBytes = Math.max(options.slabBytes, Math.min(SLAB_BYTES_MAX, Math.ceil(options.messageBytesMax / KIB + 64) * KIB));
    const slabs = 2 * lanes + 2 + SPARE_SLABS;
    this.#ring = Ring.create({ slabs, slabBytes, workers: 1, eventBytesMax: options.maxEventBytes, windowBytes: 0 });
    this.#id = options.pool.nextId();
    this.#writer = new FrameWriter(this.#ring);
    this.#lanes = Array.from({ length: lanes }, () => new SlabLane(this.#ring, this.#writer, this.#spares));
    this.#alone = new SlabLane(this.#ring, this.#writer, null);
    this.#timer = setInterval(() => this.#tellWorkings(), WORKINGS_MS).unref();
  }

  get full(): boolean {
    return this.#waiting > 0 || this.#spares.scarce;
  }

  get handing(): number {
    return [...this.#lanes, this.#alone].reduce((sum, lane) => sum + lane.handing, 0);
  }

  take(message: MessageInHand, payload: Uint8Array): void {
    const bytesMax = this.#ring.layout.jumbo.inBytes;
    // Headers are looked at only where they could matter.
    const bytes = payload.length + HEADER_BYTES_USUAL < bytesMax ? 0 : this.#writer.prepare(message.subject, message.headers, payload);
    if (bytes > bytesMax) {
      this.#host.refused(
        message,
        payload.slice(),
        new MillraceError('MILLRACE_EVENT_TOO_LARGE', `a message of ${bytes} B > ${bytesMax} B; raise maxEventBytes`),
      );
    } else this.#put(this.#laneOf(message), { message, payload, retry: null });
  }

  again(retry: Retry): void {
    this.#put(retry.alone ? this.#alone : this.#laneOf(retry.message), { message: retry.message, payload: retry.raw, retry });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#line.length = 0;
  }

  #put(lane: SlabLane, waiting: Waiting): void {
    this.#lookAt(lane);
    if (!lane.tryTake(waiting)) {
      lane.waiting.push(waiting.retry === null ? { ...waiting, payload: new Uint8Array(waiting.payload) } : waiting);
      this.#waiting += 1;
      this.#host.throttle();
    }
    this.#list(lane);
  }

  #laneOf(message: MessageInHand): SlabLane {
    return this.#lanes.length === 1 ? this.#lanes[0]! : this.#lanes[laneIndex(keyOf(message), this.#lanes.length)]!;
  }

  /** After this turn: what came together goes together. */
  #list(lane: SlabLane): void {
    if (!lane.isReady || lane.listed) return;
    lane.listed = true;
    this.#line.push(lane);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (!this.#stopped && this.#active < this.#options.concurrency && this.#line.length > 0) {
      const lane = this.#line.shift()!;
      lane.listed = false;
      const bytes = lane.begin();
      const slab = lane.working;
      this.#ring.set(slab, SlabWord.inBytes, bytes);
      this.#setStart(lane, 0, 0);
      this.#ring.dispatch(slab);
      this.#active += 1;
      this.#run(lane);
    }
  }

  #setStart(lane: SlabLane, frame: number, event: number): void {
    const slab = lane.working;
    lane.from = frame;
    this.#ring.set(slab, SlabWord.recordFrom, frame);
    this.#ring.set(slab, SlabWord.inFrom, lane.frames[frame]?.at ?? this.#ring.get(slab, SlabWord.inBytes));
    this.#ring.set(slab, InboundWord.eventFrom, event);
    this.#ring.set(slab, SlabWord.suspect, -1);
    this.#ring.set(slab, SlabWord.rejects, 0);
    this.#ring.set(slab, SlabWord.events, 0);
    this.#ring.set(slab, SlabWord.recordsDone, frame);
  }

  #run(lane: SlabLane): void {
    const { pool, handler, absent } = this.#options;
    const setup = { shared: this.#ring.shared, handler, absent };
    const run = (lane.run += 1);
    pool.run({ ring: this.#ring, slab: lane.working, id: this.#id, setup, alone: lane.alone }).then(
      () => (run === lane.run ? this.#completed(lane) : undefined),
      (error: unknown) => (run === lane.run ? this.#crashed(lane, error) : undefined),
    );
  }

  /** The pool's own word of it comes later by the megabytes that are read from a socket in one turn: a thread would wait for that long. */
  #lookAt(lane: SlabLane): void {
    if (lane.working >= 0 && this.#ring.state(lane.working) === SlabState.ready) this.#completed(lane);
  }

  #completed(lane: SlabLane): void {
    if (this.#stopped) return;
    const { working: slab, frames, from } = lane;
    const ring = this.#ring;
    if (ring.get(slab, SlabWord.stopped) === 1) {
      settleRun(this.#host, ring, slab, lane);
      ring.commit(slab);
      ring.resume(slab);
      this.#setStart(lane, ring.get(slab, SlabWord.recordsDone), ring.get(slab, InboundWord.eventsDone));
      return this.#run(lane);
    }
    lane.end();
    this.#active -= 1;
    this.#list(lane);
    if (this.#line.length > 0) this.#dispatch(); // First of all: a thread waits for it.
    settleRun(this.#host, ring, slab, { frames, from });
    ring.commit(slab);
    ring.release(slab);
    if (this.#waiting > 0) this.#refill();
    this.#host.throttle();
  }

  #refill(): void {
    this.#waiting = 0;
    for (const lane of [...this.#lanes, this.#alone]) {
      lane.refill();
      this.#waiting += lane.waiting.length;
      this.#list(lane);
    }
  }

  /** What the dead thread had finished counts; the event it was at runs once more alone; the slab goes on behind it. */
  #crashed(lane: SlabLane, error: unknown): void {
    if (this.#stopped) return;
    const slab = lane.working;
    if (this.#ring.state(slab) === SlabState.ready) return this.#completed(lane); // Only its word was lost.
    const suspect = this.#ring.get(slab, SlabWord.suspect);
    const event = this.#ring.get(slab, InboundWord.suspectEvent);
    const done = this.#ring.get(slab, SlabWord.recordsDone);
    const blameless = this.#ring.state(slab) === SlabState.waiting || suspect < 0;
    const told = hasOutcome(this.#ring, slab, suspect, event);
    settleRun(this.#host, this.#ring, slab, lane);
    this.#ring.reclaim(slab);
    if (blameless) {
      lane.blameless += 1;
      if (lane.blameless > BLAMELESS_MAX) return this.#giveUp(error);
      this.#setStart(lane, done, done === lane.from ? this.#ring.get(slab, InboundWord.eventFrom) : 0);
    } else {
      // A handler may have given its word before the end.
      if (!told) this.#blame(lane, suspect, { event, error });
      this.#setStart(lane, suspect, event + 1);
    }
    this.#run(lane);
  }

  #blame(lane: SlabLane, frame: number, { event, error }: { readonly event: number; readonly error: unknown }): void {
    const { message, attempts, at } = lane.frames[frame]!;
    const retry = takeOut(this.#ring, { slab: lane.working, at }, { message, attempts: attempts + 1, index: event });
    message.open += 1; // It settles on its own.
    if (lane.alone)
      this.#host.notHandled(retry, {
        final: 'worker_crash',
        cause: new MillraceError('MILLRACE_WORKER_CRASHED', messageOf(error), { cause: error }),
      });
    else this.again(retry);
  }

  /** Handlers said that they are still busy. */
  #tellWorkings(): void {
    for (const lane of [...this.#lanes, this.#alone]) {
      if (lane.working < 0 || this.#ring.get(lane.working, InboundWord.workings) === 0) continue;
      this.#ring.set(lane.working, InboundWord.workings, 0); // One that is added meanwhile may be lost: it is said again.
      for (const { message } of lane.frames) this.#host.working(message);
    }
  }

  #giveUp(cause: unknown): void {
    this.#host.end(
      new MillraceError(
        'MILLRACE_WORKER_CRASHED',
        `threads of the handler ended ${BLAMELESS_MAX + 1} times before it was called: ${messageOf(cause)}`,
        { cause },
      ),
    );
  }
}
