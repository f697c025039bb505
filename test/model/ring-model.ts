/** The slab protocol as threads that stop at every Atomics operation; each planted fault leaves out one rule of it. */
import { SlabState } from '../../src/memory/layout.ts';
import type { Thread, World } from './explorer.ts';

export type RingFault =
  | 'commitOutOfOrder'
  | 'releaseBeforeAck'
  | 'reclaimWithoutStateCheck'
  | 'nonAtomicBegin'
  | 'resumeBeforeAck'
  | 'loseOnCrash'
  | 'completeBeforeResult';
export interface RingModelOptions {
  readonly slabs: number;
  readonly sequences: number;
  readonly crash: boolean;
  /** This sequence runs in two parts. */
  readonly partial: number;
  readonly fault?: RingFault;
}

const FREE = SlabState.free;
const WORKERS = [0, 1];

interface Slab {
  state: number;
  epoch: number;
  sequence: number;
  part: number;
  result: string;
  worker: number;
}
interface Batch {
  readonly slab: number;
  readonly sequence: number;
  readonly part: number;
  readonly result: string;
}

export class RingModel implements World {
  readonly threads: Readonly<Record<string, Thread>>;
  readonly whims: readonly string[] = ['crash0', 'crash1'];
  readonly servers: readonly string[] = ['worker0', 'worker1', 'reaper', 'ackFirst', 'ackLast'];
  readonly #options: RingModelOptions;
  readonly #slabs: Slab[];
  readonly #hands: number[][];
  #claimed = 0;
  #order: number[] = []; // Slabs by sequence, not yet done.
  #outstanding: Batch[] = [];
  readonly #committed: string[] = [];
  #released = 0;
  #mainBusy = false;
  #dead = -1;
  #reaped = false;

  constructor(options: RingModelOptions) {
    this.#options = options;
    this.#slabs = Array.from({ length: options.slabs }, () => ({ state: FREE, epoch: 0, sequence: -1, part: 0, result: '', worker: -1 }));
    this.#hands = this.#slabs.map(() => []);
    this.threads = {
      filler: this.#filler(),
      committer: this.#committer(),
      ackFirst: this.#acker('first'),
      ackLast: this.#acker('last'),
      worker0: this.#worker(0),
      worker1: this.#worker(1),
      ...(options.crash ? { crash0: this.#crash(0), crash1: this.#crash(1), reaper: this.#reaper() } : {}),
    };
  }

  text(): string {
    return JSON.stringify([
      this.#slabs,
      this.#hands,
      this.#claimed,
      this.#order,
      this.#outstanding,
      this.#committed,
      this.#released,
      this.#mainBusy,
      this.#dead,
      this.#reaped,
    ]);
  }

  dead(name: string): boolean {
    return name === `worker${this.#dead}`;
  }

  check(): void {
    for (const [index, hands] of this.#hands.entries())
      if (hands.filter((worker) => worker !== this.#dead).length > 1) throw new Error(`slab ${index} in two hands`);
    for (const { slab, sequence, result } of this.#outstanding) {
      const { state, sequence: now, result: bytes } = this.#slabs[slab]!;
      if (now !== sequence || bytes !== result || state !== SlabState.inFlight)
        throw new Error(`slab ${slab}: bytes of unacked sequence ${sequence} are not kept`);
    }
    const expected = this.#parts().slice(0, this.#committed.length);
    if (this.#committed.join() !== expected.join()) throw new Error(`committed ${this.#committed.join()}, not ${expected.join()}`);
  }

  checkEnd(): void {
    if (this.#committed.join() !== this.#parts().join() || this.#released !== this.#options.sequences)
      throw new Error(`lost: ${this.#committed.join()}`);
    if (this.#slabs.some(({ state }) => state !== FREE)) throw new Error('a slab is not free at the end');
  }

  #parts(): string[] {
    return Array.from({ length: this.#options.sequences }, (_, sequence) =>
      sequence === this.#options.partial ? [`${sequence}.0`, `${sequence}.1`] : [`${sequence}.0`],
    ).flat();
  }

  /** One exchange, as Ring's: a wrong state is a defect. */
  #move(slab: number, from: number, to: number): void {
    const seen = this.#slabs[slab]!.state;
    if (seen !== from) throw new Error(`slab ${slab}: state ${seen}, expected ${from} before ${to}`);
    this.#slabs[slab]!.state = to;
  }

  /** Main is one thread: one of its actions at a time. */
  *#act(at: string, enabled: () => boolean): Thread {
    yield { at, when: () => !this.#mainBusy && enabled() };
    this.#mainBusy = true;
  }

  *#filler(): Thread {
    while (this.#claimed < this.#options.sequences) {
      yield* this.#act('fill', () => this.#slabs.some(({ state }) => state === FREE));
      const slab = this.#slabs.findIndex(({ state }) => state === FREE);
      this.#move(slab, FREE, SlabState.filling);
      const entry = this.#slabs[slab]!;
      entry.epoch += 1;
      yield { at: `filling ${slab}` };
      Object.assign(entry, { sequence: this.#claimed, part: 0, worker: -1 });
      this.#claimed += 1;
      this.#order.push(slab);
      yield { at: `dispatch ${slab}` };
      this.#move(slab, SlabState.filling, SlabState.waiting);
      this.#mainBusy = false;
    }
  }

  #committable(): number {
    const ready = (slab: number | undefined): boolean => slab !== undefined && this.#slabs[slab]!.state === SlabState.ready;
    if (this.#options.fault === 'commitOutOfOrder') return this.#order.find(ready) ?? -1;
    return ready(this.#order[0]) ? this.#order[0]! : -1;
  }

  *#committer(): Thread {
    while (this.#committed.length < this.#parts().length) {
      yield* this.#act('commit', () => this.#committable() >= 0);
      const slab = this.#committable();
      const { sequence, part, result, epoch } = this.#slabs[slab]!;
      if (result !== `${sequence}.${part} epoch ${epoch}`)
        throw new Error(`slab ${slab}: committed ${result} as ${sequence}.${part} epoch ${epoch}`);
      this.#move(slab, SlabState.ready, SlabState.inFlight);
      this.#committed.push(`${sequence}.${part}`);
      if (!this.#hasMore(slab)) this.#order = this.#order.filter((other) => other !== slab);
      this.#outstanding.push({ slab, sequence, part, result });
      yield { at: `publish ${slab}` };
      if (this.#options.fault === 'releaseBeforeAck' && !this.#hasMore(slab)) this.#release(slab);
      if (this.#options.fault === 'resumeBeforeAck' && this.#hasMore(slab)) this.#resume(slab);
      this.#mainBusy = false;
    }
  }

  #hasMore(slab: number): boolean {
    return this.#slabs[slab]!.sequence === this.#options.partial && this.#slabs[slab]!.part === 0;
  }

  #release(slab: number): void {
    this.#move(slab, SlabState.inFlight, FREE);
    this.#released += 1;
  }

  #resume(slab: number): void {
    Object.assign(this.#slabs[slab]!, { part: 1, worker: -1 });
    this.#move(slab, SlabState.inFlight, SlabState.waiting);
  }

  /** The broker acks in any order: of what is outstanding, the first or the last. */
  *#acker(which: 'first' | 'last'): Thread {
    for (;;) {
      yield* this.#act('ack', () => this.#outstanding.length > (which === 'first' ? 0 : 1));
      const batch = which === 'first' ? this.#outstanding.shift()! : this.#outstanding.pop()!;
      yield { at: `acked ${JSON.stringify(batch)}` };
      if (this.#hasMore(batch.slab)) this.#resume(batch.slab);
      else this.#release(batch.slab);
      this.#mainBusy = false;
    }
  }

  *#worker(worker: number): Thread {
    const taken = (): number => this.#slabs.findIndex(({ state }) => state === SlabState.waiting);
    for (;;) {
      yield { at: 'idle', when: () => taken() >= 0 };
      const slab = taken();
      const entry = this.#slabs[slab]!;
      yield { at: `begin ${slab}` };
      // The pool gives a task to one worker; here both may try, and the exchange decides.
      if (this.#options.fault !== 'nonAtomicBegin' && entry.state !== SlabState.waiting) continue;
      Object.assign(entry, { state: SlabState.working, worker });
      this.#hands[slab]!.push(worker);
      const { sequence, part, epoch } = entry;
      yield { at: `work ${slab} ${sequence}.${part} ${epoch}` };
      if (this.#options.fault === 'completeBeforeResult') this.#move(slab, SlabState.working, SlabState.ready);
      else entry.result = `${entry.sequence}.${entry.part} epoch ${epoch}`;
      yield { at: `complete ${slab} ${sequence}.${part} ${epoch}` };
      if (entry.epoch !== epoch || entry.sequence !== sequence) throw new Error(`slab ${slab}: reused under worker ${worker}`);
      this.#hands[slab] = this.#hands[slab]!.filter((hand) => hand !== worker);
      if (this.#options.fault === 'completeBeforeResult') entry.result = `${entry.sequence}.${entry.part} epoch ${epoch}`;
      else this.#move(slab, SlabState.working, SlabState.ready);
    }
  }

  *#crash(worker: number): Thread {
    yield { at: 'crash', when: () => this.#dead < 0 };
    this.#dead = worker;
  }

  /** Main, when it hears of the death: each slab that this worker had, and that has not been committed, runs again. */
  *#reaper(): Thread {
    yield* this.#act('reap', () => this.#dead >= 0);
    for (const [slab, entry] of this.#slabs.entries()) {
      yield { at: `reap ${slab}` };
      if (entry.worker !== this.#dead || this.#options.fault === 'loseOnCrash') continue;
      this.#hands[slab] = this.#hands[slab]!.filter((hand) => WORKERS.includes(hand) && hand !== this.#dead);
      const mine = entry.state === SlabState.working || entry.state === SlabState.ready;
      if (mine || this.#options.fault === 'reclaimWithoutStateCheck') entry.state = SlabState.waiting;
    }
    this.#reaped = true;
    this.#mainBusy = false;
  }
}
