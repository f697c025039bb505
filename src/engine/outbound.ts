/**
 * The way of an event out. A slab is freed only when everything in it has settled, so the ring is the queue, the backpressure
 * and the retransmit window at once.
 *
 *   claim ─► (fill) ─► dispatch ─► [worker] ─► completed ─► commit, in sequence ─► publish ─► acked | failed | unknown ─► settle ─► release
 */
import type { Ack } from './batch-outcomes.ts';
import { Bell } from './bell.ts';
import { CrashPolicy } from './crash-policy.ts';
import type { Dispatcher, DispatchListener } from './dispatch.ts';
import { Fifo } from '../memory/fifo.ts';
import type { Parts } from './parts.ts';
import { Publisher } from './publisher.ts';
import { Fence } from './recovery-fence.ts';
import { commitRun, openSlab, rollBackRun } from './run-results.ts';
import type { Fill } from './run-results.ts';
import { Settler } from './settler.ts';
import { Ticket } from './ticket.ts';
import type { MillraceError } from '../api/errors.ts';
import { SlabState, SlabWord } from '../memory/layout.ts';
import type { PublishListener } from '../processors/broker.ts';

/** Bytes below which a slab runs here: a thread hop costs more than such a run. */
const RUN_HERE_BYTES = 8 * 1_024;

export class Outbound implements DispatchListener, PublishListener {
  readonly dispatcher: Dispatcher;
  readonly fence: Fence;
  readonly #parts: Parts;
  readonly #tickets: readonly Ticket[];
  readonly #order: Fifo<Ticket> = new Fifo(); // Dispatched and not wholly committed, in sequence.
  readonly #publisher: Publisher;
  readonly #settler: Settler;
  readonly #crashes: CrashPolicy;
  /** Reads from a sequence on what was stored meanwhile; set by whoever raises the fence. */
  readOn: (fromSequence: number) => Promise<number> = (fromSequence) => Promise.resolve(fromSequence - 1);
  readonly #released: Bell = new Bell();
  readonly #ack = { sequence: 0, duplicate: false }; // Of the call at work.
  #closed: MillraceError | null = null;

  constructor(parts: Parts, makeDispatcher: (listener: DispatchListener) => Dispatcher) {
    this.#parts = parts;
    this.dispatcher = makeDispatcher(this);
    this.#tickets = Array.from({ length: parts.ring.layout.slabs + 1 }, (_, slab) => new Ticket(slab));
    this.#settler = new Settler(parts, { run: (ticket) => this.#run(ticket, false), released: () => this.#released.ring() });
    this.#publisher = new Publisher(parts, this.#settler);
    this.#crashes = new CrashPolicy(parts);
    this.fence = new Fence({
      attemptsMax: parts.options.maxAttempts,
      send: (ticket, expected) => (this.#publisher.probe(ticket, expected) ? ticket.slab * parts.ring.layout.slab.recordsMax : -1),
      passed: (ticket, outcome) => this.#probed(ticket, outcome),
      readOn: (fromSequence) => this.readOn(fromSequence),
      runAgain: () => this.#runAgain(),
      commit: () => this.#commitInOrder(),
      warning: (message) => this.warning(message),
    });
  }

  /** Newest sequence that is known to be stored. */
  get lastSequence(): number {
    return this.#publisher.lastSequence;
  }

  noteSequence(sequence: number): void {
    this.#publisher.lastSequence = Math.max(sequence, this.#publisher.lastSequence);
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** Everything dispatched before `sequence` has settled. */
  isSettledBelow(sequence: number): boolean {
    return this.#settler.isSettledBelow(sequence);
  }

  /** A partly filled slab goes at once while a worker is idle and the ring is at least half free; else batches fill by themselves. */
  get eager(): boolean {
    return this.dispatcher.hungry && this.#parts.ring.freeCount * 2 >= this.#parts.ring.layout.slabs;
  }

  /** A free slab, or -1, which is the backpressure. */
  tryClaim(): number {
    return this.#closed !== null ? -1 : this.#parts.ring.claim();
  }

  /** The one slab for a record larger than a slab, or -1. */
  tryClaimJumbo(): number {
    return this.#closed !== null ? -1 : this.#parts.ring.claimJumbo();
  }

  /** Resolves at the next release (or close); ask again then. */
  whenReleased(): Promise<void> {
    return this.#closed === null ? this.#released.rung() : Promise.resolve();
  }

  /** The same after close, while the last slabs settle. */
  whenSlabReleased(): Promise<void> {
    return this.#released.rung();
  }

  /** Filling is over. */
  dispatch(slab: number, fill: Fill): void {
    const { ring } = this.#parts;
    openSlab(ring, slab, fill);
    ring.dispatch(slab);
    const ticket = this.#tickets[slab]!;
    this.#settler.enter(ticket, ring.get(slab, SlabWord.sequence), fill);
    this.#order.push(ticket);
    this.#run(ticket, fill.inBytes - fill.inFrom < RUN_HERE_BYTES && !fill.intake.userCode);
  }

  /** A worker is done with a slab. */
  completed(slab: number): void {
    const ticket = this.#tickets[slab]!;
    ticket.ready = true;
    if (ticket.again) this.#restart(ticket);
    else if (ticket.recordsDone) this.#commit(ticket); // Copies taken again: their slab has had its turn.
    else this.#commitInOrder();
  }

  /** A worker died over a slab: nothing of its run counts, and it runs again. */
  crashed(slab: number, error: unknown): void {
    const { ring } = this.#parts;
    const ticket = this.#tickets[slab]!;
    const blame = ring.state(slab) === SlabState.working; // Else it only waited, or was done and its word was lost.
    this.#undo(ticket);
    if (this.#closed !== null) this.#crashes.giveUp(ticket, this.#closed);
    else if (this.#crashes.decide(ticket, error, blame)) {
      this.#run(ticket, false);
      return;
    }
    this.completed(slab);
  }

  acked(token: number, sequence: number, duplicate: boolean): void {
    if (token === this.fence.token) return this.fence.acked({ sequence, duplicate });
    const ticket = this.#ticketOf(token);
    this.#ack.sequence = sequence;
    this.#ack.duplicate = duplicate;
    this.#publisher.acked(ticket, this.#batchOf(token), this.#ack);
    this.#settler.batchSettled(ticket);
    this.fence.resume();
  }

  failed(token: number, error: MillraceError): void {
    if (token === this.fence.token) return this.fence.failed(error);
    this.#publisher.notStored(this.#ticketOf(token), this.#batchOf(token), error, error.retryable);
  }

  unknown(token: number, error: MillraceError): void {
    if (token === this.fence.token) return this.fence.unknown(error);
    const { broker, options } = this.#parts;
    this.#publisher.notStored(this.#ticketOf(token), this.#batchOf(token), error, broker.resends || options.resendUnknown);
  }

  writable(): void {
    this.#publisher.publish();
    this.fence.resume();
  }

  state(state: 'open' | 'reconnecting' | 'closed', reason?: MillraceError): void {
    this.#parts.signals.state(state, reason);
    if (state === 'open') this.writable();
  }

  warning(message: string): void {
    this.#parts.signals.emit('warning', message);
  }

  /** What is not published yet fails; what is in flight settles as the broker's close reports it. */
  close(error: MillraceError): void {
    this.#closed = error;
    this.#publisher.close(error);
    this.fence.close();
    this.#released.ring();
  }

  #run(ticket: Ticket, here: boolean): void {
    const { ring, broker } = this.#parts;
    ticket.ready = ticket.committed = false;
    ring.set(ticket.slab, SlabWord.messageBytesMax, broker.limits().messageBytesMax);
    if (here) this.dispatcher.runHere(ticket.slab);
    else this.dispatcher.dispatch(ticket.slab);
  }

  /** Order holds whatever order workers finish in: a slab that is not ready, or has more to run, holds back the later ones. */
  #commitInOrder(): void {
    for (let head = this.#order.first; head?.ready === true && !head.committed; head = this.#order.first) {
      if (head.probed === null && !this.fence.admits(head, this.#parts.ring.get(head.slab, SlabWord.batches))) return;
      head.recordsDone = this.#parts.ring.get(head.slab, SlabWord.stopped) === 0;
      if (head.recordsDone) this.#order.shift();
      this.#commit(head);
    }
  }

  #commit(ticket: Ticket): void {
    ticket.committed = true;
    commitRun(this.#parts, ticket);
    const { probed } = ticket;
    ticket.probed = null;
    if (probed !== null) ticket.next = 1;
    if (ticket.open === 0) this.#settler.runSettled(ticket);
    else if (ticket.next < ticket.batches) this.#publisher.enqueue(ticket);
    probed?.();
  }

  /** The first batch of the slab at the head was published alone: now it is committed, and this batch settles at once. */
  #probed(ticket: Ticket, outcome: Ack | MillraceError): void {
    ticket.probed = () => {
      if (!('sequence' in outcome)) return this.#publisher.notStored(ticket, 0, outcome, false);
      this.#publisher.acked(ticket, 0, outcome);
      this.#settler.batchSettled(ticket);
    };
    this.#commitInOrder();
  }

  /** What ran before the last read-back does not count: copies of what it read may be in it. */
  #runAgain(): void {
    for (const ticket of this.#order.toArray()) {
      if (ticket.committed) continue;
      if (ticket.ready) this.#restart(ticket);
      else ticket.again = true;
    }
  }

  #restart(ticket: Ticket): void {
    this.#undo(ticket);
    if (this.#closed === null) return this.#run(ticket, false);
    this.#crashes.giveUp(ticket, this.#closed);
    this.completed(ticket.slab);
  }

  #undo(ticket: Ticket): void {
    ticket.again = false;
    this.#parts.ring.reclaim(ticket.slab);
    if (rollBackRun(this.#parts, ticket.slab)) this.#settler.noteFailure();
  }

  #ticketOf(token: number): Ticket {
    return this.#tickets[Math.floor(token / this.#parts.ring.layout.slab.recordsMax)]!;
  }

  #batchOf(token: number): number {
    return token % this.#parts.ring.layout.slab.recordsMax;
  }
}
