/**
 * One slab of inbound messages through a handler: events in order, one at a time, outcomes into the slab. Where the handler is
 * at work is written down first, so that a thread that dies over an event leaves behind which one it was.
 */
import { WorkerDelivery } from './inbound-delivery.ts';
import type { MessageAtWork, OutcomeSink } from './inbound-delivery.ts';
import { InboundFrame, InboundWord, Outcome, OUTCOME_WORDS, OutcomeWord } from './inbound-frame.ts';
import { mustSteer } from './inbound-steering.ts';
import type { AbsentSteering, Steering } from './inbound-steering.ts';
import { ElementForm, EventsOfMessage } from './inbound-message.ts';
import { skipValue } from '../src/codec/msgpack-scan.ts';
import { messageOf } from '../src/api/errors.ts';
import type { Handler } from '../src/api/event.ts';
import { SlabWord } from '../src/memory/layout.ts';
import type { Ring } from '../src/memory/ring.ts';

const DELAY_MS_MAX = 86_400_000;

export interface RunOptions {
  readonly handler: Handler;
  readonly absent: AbsentSteering;
  readonly threadId: number;
}

export class InboundRun implements OutcomeSink {
  readonly #ring: Ring;
  readonly #handler: Handler;
  readonly #absent: AbsentSteering;
  readonly #slab: number;
  readonly #header: number; // Int32 index of the slab's header.
  readonly #frame: InboundFrame;
  readonly #end: number;
  readonly #rowsMax: number;
  readonly #textEnd: number;
  #at: number;
  #next = 0; // Offset after the frame at work.
  #record: number;
  #message: MessageAtWork | null = null;
  #index = 0;
  #rows = 0;
  #textAt: number;
  #handed = 0;
  // Scan position within the payload: the raw range of a later element is found from here.
  #scanIndex = 0;
  #scanAt = 0;

  /** Takes the slab: it is `working` from here on. */
  constructor(ring: Ring, slab: number, { handler, absent, threadId }: RunOptions) {
    ring.begin(slab, threadId);
    const [start, shape] = [ring.start(slab), ring.shape(slab)];
    this.#ring = ring;
    this.#handler = handler;
    this.#absent = absent;
    this.#slab = slab;
    this.#header = start / 4;
    this.#frame = new InboundFrame(ring);
    this.#at = start + shape.inStart + ring.get(slab, SlabWord.inFrom);
    this.#end = start + shape.inStart + ring.get(slab, SlabWord.inBytes);
    this.#record = ring.get(slab, SlabWord.recordFrom);
    this.#rowsMax = shape.recordsMax;
    this.#textAt = start + shape.textStart;
    this.#textEnd = this.#textAt + shape.textBytes;
    ring.set(slab, SlabWord.rejects, 0);
    ring.set(slab, SlabWord.events, 0);
    this.#noteFrameDone(); // Nothing yet: says where this run begins.
  }

  /** Resolves when all of it is done; null = it already is. Never rejects. */
  run(): Promise<void> | null {
    const work = this.#advance();
    return work === null ? null : this.#runOn(work);
  }

  /** This thread turns: it is not stuck, however long a handler waits. */
  beat(): void {
    const { words } = this.#ring;
    words[this.#header + SlabWord.heartbeat] = (words[this.#header + SlabWord.heartbeat]! + 1) | 0;
  }

  mustSteer(name: Steering): void {
    mustSteer(this.#absent, name);
  }

  nak(delayMs: number | undefined): void {
    const delayed = typeof delayMs === 'number' && delayMs >= 0; // NaN is no delay.
    this.#addRow(delayed ? Outcome.nakAfter + Math.min(DELAY_MS_MAX, Math.round(delayMs)) : Outcome.nak, '');
  }

  term(reason: string): void {
    this.#addRow(Outcome.term, reason);
  }

  threw(cause: unknown): void {
    this.#addRow(Outcome.threw, messageOf(cause));
  }

  working(): void {
    const { words } = this.#ring;
    words[this.#header + InboundWord.workings] = (words[this.#header + InboundWord.workings]! + 1) | 0;
  }

  async #runOn(work: Promise<void>): Promise<void> {
    for (let waiting: Promise<void> | null = work; waiting !== null; waiting = this.#advance()) await waiting;
  }

  /** Hands over until a handler has to be waited for (its promise, which never rejects) or nothing is left (null). */
  #advance(): Promise<void> | null {
    for (;;) {
      if (this.#message === null) {
        if (this.#at === this.#end) return this.#close(false);
        this.#openFrame();
      } else if (this.#index === this.#message.events.end) this.#closeFrame();
      else if (this.#rows === this.#rowsMax) return this.#close(true);
      else {
        const work = this.#hand(this.#message);
        if (work !== null) return work;
      }
    }
  }

  #hand(message: MessageAtWork): Promise<void> | null {
    const { words } = this.#ring;
    const delivery = new WorkerDelivery(message, this.#index, this);
    this.#handed += 1;
    // Plain stores: they are read when this thread has died, or to see whether it still turns.
    words[this.#header + SlabWord.events] = this.#handed;
    words[this.#header + InboundWord.suspectEvent] = this.#index;
    words[this.#header + SlabWord.suspect] = this.#record;
    this.beat();
    try {
      const work = this.#handler(delivery.event, delivery) as { then?: unknown } | undefined;
      if (typeof work?.then === 'function') return this.#wait(work as Promise<void>, delivery);
    } catch (error) {
      WorkerDelivery.fail(delivery, error);
    }
    delivery.ack();
    this.#index += 1;
    return null;
  }

  async #wait(work: Promise<void>, delivery: WorkerDelivery): Promise<void> {
    try {
      await work;
    } catch (error) {
      WorkerDelivery.fail(delivery, error);
    }
    delivery.ack();
    this.#index += 1;
  }

  #openFrame(): void {
    const frame = this.#frame;
    this.#next = frame.read(this.#at);
    const facts = frame.facts();
    const headers = frame.headers();
    this.#scanIndex = -1;
    try {
      const payload = frame.payloadInPlace();
      const events =
        facts.form === ElementForm.message
          ? EventsOfMessage.decode(payload, headers)
          : EventsOfMessage.ofElement(payload, { ...facts, headers });
      if (facts.form === ElementForm.message) facts.count = events.end;
      this.#message = { subject: frame.subject(), facts, events };
      this.#index = Math.max(events.first, this.#ring.get(this.#slab, InboundWord.eventFrom));
      this.#ring.set(this.#slab, InboundWord.eventFrom, 0);
    } catch (error) {
      this.#index = 0;
      this.#writeRow(Outcome.undecodable, ElementForm.message, {
        start: frame.payloadStart,
        end: frame.payloadEnd,
        text: messageOf(error),
      });
      this.#closeFrame();
    }
  }

  #closeFrame(): void {
    this.#message = null;
    this.#at = this.#next;
    this.#record += 1;
    this.#noteFrameDone();
  }

  #noteFrameDone(): void {
    this.#ring.set(this.#slab, SlabWord.suspect, -1);
    this.#ring.set(this.#slab, SlabWord.recordsDone, this.#record);
  }

  #close(stopped: boolean): null {
    this.#ring.set(this.#slab, SlabWord.suspect, -1);
    this.#ring.set(this.#slab, SlabWord.stopped, stopped ? 1 : 0);
    this.#ring.set(this.#slab, InboundWord.eventsDone, stopped ? this.#index : 0);
    this.#ring.complete(this.#slab);
    return null;
  }

  #addRow(outcome: number, text: string): void {
    const { facts, events } = this.#message!;
    const whole = facts.form !== ElementForm.message || events.form === ElementForm.message;
    if (whole) this.#writeRow(outcome, events.form, { start: this.#frame.payloadStart, end: this.#frame.payloadEnd, text });
    else this.#writeRow(outcome, events.form, { ...this.#elementRange(), text });
  }

  /** Events fail in order, so all scans of a message together walk over it once. */
  #elementRange(): { readonly start: number; readonly end: number } {
    const { bytes } = this.#ring;
    const end = this.#frame.payloadEnd;
    if (this.#scanIndex < 0) {
      const first = bytes[this.#frame.payloadStart]!;
      this.#scanAt = this.#frame.payloadStart + (first === 0xdd ? 5 : first === 0xdc ? 3 : 1);
      this.#scanIndex = 0;
    }
    for (; this.#scanIndex < this.#index; this.#scanIndex += 1) this.#scanAt = skipValue(bytes, this.#scanAt, end);
    return { start: this.#scanAt, end: skipValue(bytes, this.#scanAt, end) };
  }

  #writeRow(
    outcome: number,
    form: number,
    { start, end, text }: { readonly start: number; readonly end: number; readonly text: string },
  ): void {
    const { words, bytes } = this.#ring;
    const shape = this.#ring.shape(this.#slab);
    const row = (this.#ring.start(this.#slab) + shape.rejectStart) / 4 + this.#rows * OUTCOME_WORDS;
    const words8 = Buffer.from(text);
    const textBytes = Math.min(words8.length, this.#textEnd - this.#textAt);
    bytes.set(words8.subarray(0, textBytes), this.#textAt);
    words[row + OutcomeWord.frame] = this.#record;
    words[row + OutcomeWord.index] = this.#index;
    words[row + OutcomeWord.outcome] = outcome;
    words[row + OutcomeWord.form] = form;
    words[row + OutcomeWord.rawStart] = start;
    words[row + OutcomeWord.rawEnd] = end;
    words[row + OutcomeWord.textStart] = this.#textAt;
    words[row + OutcomeWord.textBytes] = textBytes;
    this.#textAt += textBytes;
    this.#rows += 1;
    words[this.#header + SlabWord.rejects] = this.#rows; // Last: a row counts when it is whole.
  }
}
