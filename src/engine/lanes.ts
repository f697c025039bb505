/** Hands events to a handler on this thread, in order within a lane (a subject or partition), in at most `concurrency` lanes at once. */
import { EventDelivery } from './delivery.ts';
import type { DeliveryActions, OpenedMessage } from './delivery.ts';
import type { Consumer, EventRunner, RunnerHost } from './inbound.ts';
import type { MessageInHand, Retry } from './inbound-message.ts';
import { EventsOfMessage } from '../../workers/inbound-message.ts';

/** A handler that never waits gets so much of this thread before the event loop turns. */
const TURN_MS_MAX = 8;

interface Waiting {
  readonly message: MessageInHand;
  bytes: Uint8Array;
  readonly retry: Retry | null;
}

interface Lane {
  readonly key: string;
  readonly queue: Waiting[];
  /** Of the queue: shifting a long array is slow. */
  head: number;
  opened: OpenedMessage | null;
  /** Next event of it. */
  next: number;
  /** At work, or in line for it. */
  listed: boolean;
}

export class Lanes implements EventRunner {
  /** Whatever waits here is small: backpressure comes from the count of events in hand. */
  readonly full = false;
  readonly handing = 0;
  readonly #host: RunnerHost & DeliveryActions;
  readonly #consumer: Consumer;
  readonly #concurrency: number;
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #line: Lane[] = []; // Lanes with work, oldest first, when all places are taken.
  #active = 0;
  #stopped = false;

  constructor(host: RunnerHost & DeliveryActions, options: { readonly consumer: Consumer; readonly concurrency: number }) {
    this.#host = host;
    this.#consumer = options.consumer;
    this.#concurrency = options.concurrency;
  }

  take(message: MessageInHand, payload: Uint8Array): void {
    const waiting: Waiting = { message, bytes: payload, retry: null };
    this.#add(message, waiting);
    // The view ends with this call; a handler that does not wait is through by now, and the copy is saved.
    if (message.open > 0) waiting.bytes = new Uint8Array(payload);
  }

  again(retry: Retry): void {
    this.#add(retry.message, { message: retry.message, bytes: retry.raw, retry });
  }

  stop(): void {
    this.#stopped = true;
    this.#lanes.clear();
    this.#line.length = 0;
  }

  #add(message: MessageInHand, waiting: Waiting): void {
    // One handler at a time: then order holds over all subjects, in one lane.
    const key = this.#concurrency === 1 ? '' : keyOf(message);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, queue: [], head: 0, opened: null, next: 0, listed: false };
      this.#lanes.set(key, lane);
    }
    lane.queue.push(waiting);
    if (lane.listed) return;
    lane.listed = true;
    if (this.#active < this.#concurrency) this.#begin(lane);
    else this.#line.push(lane);
  }

  #begin(lane: Lane): void {
    this.#active += 1;
    this.#work(lane);
  }

  /** Runs until a handler has to be waited for, the lane is empty, or the turn is over. No promise where the handler makes none. */
  #work(lane: Lane): void {
    let endMs = 0;
    while (!this.#stopped) {
      if (lane.opened === null) {
        if (lane.head === lane.queue.length) return this.#leave(lane);
        // Nothing is timed where one message is all there is.
        const now = lane.head === 0 ? 0 : performance.now();
        if (endMs === 0 && now > 0) endMs = now + TURN_MS_MAX;
        if (now > endMs) return void setImmediate(() => this.#work(lane));
        this.#open(lane);
        continue;
      }
      const { opened } = lane;
      if (lane.next === opened.events.end) {
        lane.opened = null;
        continue;
      }
      const delivery = new EventDelivery(opened, lane.next, this.#host);
      lane.next += 1;
      this.#host.handedOver(1);
      const work = this.#hand(delivery);
      if (work !== null) return void work.then(() => this.#work(lane));
    }
  }

  /** Null = settled already, or left to its owner. The promise never rejects. */
  #hand(delivery: EventDelivery): Promise<void> | null {
    try {
      const work = this.#consumer.take(delivery) as { then?: unknown } | undefined;
      if (typeof work?.then === 'function') return this.#wait(work as Promise<void>, delivery);
      if (this.#consumer.auto) delivery.ack();
    } catch (error) {
      EventDelivery.fail(delivery, error);
    }
    return null;
  }

  async #wait(work: Promise<void>, delivery: EventDelivery): Promise<void> {
    try {
      await work;
      if (this.#consumer.auto) delivery.ack();
    } catch (error) {
      EventDelivery.fail(delivery, error);
    }
  }

  #open(lane: Lane): void {
    const source = lane.queue[lane.head]!;
    const { message, bytes, retry } = source;
    lane.head += 1;
    if (lane.head > 1_024 && lane.head * 2 > lane.queue.length) {
      lane.queue.splice(0, lane.head);
      lane.head = 0;
    }
    let events: EventsOfMessage;
    try {
      events =
        retry === null
          ? EventsOfMessage.decode(bytes, message.headers)
          : EventsOfMessage.ofElement(bytes, { ...retry, headers: message.headers });
    } catch (error) {
      this.#host.refused(message, bytes, error);
      return;
    }
    const count = retry === null ? events.end : Math.max(message.weight, retry.index + 1);
    if (retry === null) this.#host.opened(message, count);
    lane.opened = { message, events, source, count, attempts: retry?.attempts ?? 0 };
    lane.next = events.first;
  }

  #leave(lane: Lane): void {
    this.#active -= 1;
    lane.listed = false;
    lane.queue.length = lane.head = 0;
    if (lane.key !== '') this.#lanes.delete(lane.key); // The only lane of a subscription stays.
    const next = this.#line.shift();
    if (next !== undefined) this.#begin(next);
  }
}

/** Events of one key are handled in order: of a partition, else of a subject. */
export function keyOf({ partition, subject }: MessageInHand): string {
  return partition < 0 ? subject : String(partition);
}
