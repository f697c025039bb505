/** Main's side of the stress: claims, fills, dispatches, commits in sequence, acks in any order, kills workers, and checks each slab twice. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SlabState, SlabWord } from '../../src/memory/layout.ts';
import { Ring } from '../../src/memory/ring.ts';
import { checksum, seedOf, writePattern } from './ring-stress-pattern.ts';
import { mailboxOf } from './ring-stress-worker.ts';
import type { StressWorkerData } from './ring-stress-worker.ts';

const WORKER = new URL('./ring-stress-worker.js', import.meta.url);

export interface StressOptions {
  readonly slabs: number;
  readonly workers: number;
  readonly mode: 'message' | 'mailbox';
  readonly seconds: number;
  /** Terminate a worker every so many commits. */
  readonly killEvery: number;
}
export interface StressResult {
  readonly committed: number;
  readonly resumed: number;
  readonly killed: number;
}
interface Use {
  readonly slab: number;
  readonly sequence: number;
  readonly epoch: number;
  readonly bytes: number;
  slot: number;
  held: number;
}

export class RingStress {
  readonly #options: StressOptions;
  readonly #ring: Ring;
  readonly #workers: Worker[] = [];
  readonly #order: Use[] = []; // By sequence.
  readonly #inFlight: Use[] = [];
  readonly #errors: Error[] = [];
  #random = 12_345;
  #committed = 0;
  #resumed = 0;
  #killed = 0;
  #sinceKill = 0;

  constructor(options: StressOptions) {
    this.#options = options;
    this.#ring = Ring.create(
      { slabs: options.slabs, slabBytes: 4_096, workers: options.workers, eventBytesMax: 4_096, windowBytes: 0 },
      0x7fff_fff0,
    );
  }

  async run(): Promise<StressResult> {
    for (let slot = 0; slot < this.#options.workers; slot += 1) await this.#start(slot);
    const noise = this.#spawn({ shared: this.#ring.shared, slot: -1, mode: 'noise' });
    try {
      const end = performance.now() + this.#options.seconds * 1_000;
      while (performance.now() < end || this.#killed === 0 || this.#resumed === 0) await this.#round(true);
      while (this.#order.length + this.#inFlight.length > 0) await this.#round(false);
    } finally {
      await Promise.all([noise, ...this.#workers].map((worker) => worker.terminate()));
    }
    assert.equal(this.#ring.freeCount, this.#options.slabs);
    return { committed: this.#committed, resumed: this.#resumed, killed: this.#killed };
  }

  async #round(admitting: boolean): Promise<void> {
    for (let slab = admitting ? this.#ring.claim() : -1; slab >= 0; slab = this.#ring.claim()) this.#fill(slab);
    this.#commit();
    this.#ack();
    if (this.#sinceKill >= this.#options.killEvery) {
      this.#sinceKill = 0;
      await this.#kill(this.#next(this.#options.workers));
    }
    if (this.#errors.length > 0) throw this.#errors[0]!;
    await turn();
  }

  #fill(slab: number): void {
    const ring = this.#ring;
    const sequence = ring.nextSequence;
    const epoch = ring.get(slab, SlabWord.epoch);
    const bytes = 1 + this.#next(ring.shape(slab).inBytes);
    const start = ring.start(slab) + ring.shape(slab).inStart;
    writePattern(ring.bytes, start, start + bytes, seedOf(sequence, epoch, slab));
    ring.set(slab, SlabWord.inBytes, bytes);
    ring.set(slab, SlabWord.inFrom, 0);
    ring.set(slab, SlabWord.retake, this.#next(4) === 0 ? 1 : 0);
    ring.dispatch(slab);
    assert.equal(ring.get(slab, SlabWord.sequence), sequence);
    const use: Use = { slab, sequence, epoch, bytes, slot: -1, held: this.#next(4) };
    this.#order.push(use);
    this.#send(use);
  }

  /** To a mailbox only when it is empty; else it goes along in a later round. */
  #send(use: Use): void {
    const slot = this.#next(this.#options.workers);
    if (this.#options.mode === 'message') this.#workers[slot]!.postMessage(use.slab);
    // Pairs with the worker's load and store: only an empty box is filled.
    else if (Atomics.compareExchange(this.#ring.words, mailboxOf(this.#ring, slot), 0, use.slab + 1) !== 0) return;
    else Atomics.notify(this.#ring.words, mailboxOf(this.#ring, slot));
    use.slot = slot;
  }

  /** In sequence order, as far as it goes. A part is checked against the bytes that main itself wrote. */
  #commit(): void {
    for (const use of this.#order) if (use.slot < 0) this.#send(use);
    while (this.#order.length > 0 && this.#ring.state(this.#order[0]!.slab) === SlabState.ready) {
      const use = this.#order.shift()!;
      this.#check(use);
      this.#ring.commit(use.slab);
      this.#inFlight.push(use);
      this.#committed += 1;
      this.#sinceKill += 1;
    }
  }

  #check({ slab, sequence, epoch, bytes }: Use): void {
    const ring = this.#ring;
    const at = (word: number): number => ring.get(slab, word);
    const said = `slab ${slab} sequence ${sequence} epoch ${epoch}`;
    assert.deepEqual([at(SlabWord.recordsDone), at(SlabWord.lines)], [sequence, epoch], said);
    const from = at(SlabWord.inFrom);
    const done = at(SlabWord.outBytes);
    const half = at(SlabWord.retake) === 1 ? (bytes - from) >> 1 : bytes - from;
    assert.deepEqual([done, at(SlabWord.inDone)], [half, from + half], said);
    const expected = new Uint8Array(bytes);
    writePattern(expected, 0, bytes, seedOf(sequence, epoch, slab));
    assert.equal(at(SlabWord.events), checksum(expected, from, from + half), `${said}: what the worker read`);
    this.#checkOut(slab, expected.subarray(from, from + half));
  }

  #checkOut(slab: number, expected: Uint8Array): void {
    const out = this.#ring.start(slab) + this.#ring.shape(slab).outStart;
    for (let index = 0; index < expected.length; index += 1) {
      if (this.#ring.bytes[out + index] !== (~expected[index]! & 0xff)) assert.fail(`slab ${slab}: byte ${index} of the result`);
    }
  }

  /** Acks come in any order. What was in flight must still be what was committed; the rest of a part runs before later slabs commit. */
  #ack(): void {
    for (let index = this.#inFlight.length - 1; index >= 0; index -= 1) {
      const use = this.#inFlight[index]!;
      use.held -= 1;
      if (use.held > 0) continue;
      this.#check(use);
      this.#inFlight.splice(index, 1);
      if (this.#ring.get(use.slab, SlabWord.inDone) === use.bytes) this.#ring.release(use.slab);
      else this.#resume(use);
    }
  }

  #resume(use: Use): void {
    const ring = this.#ring;
    ring.set(use.slab, SlabWord.inFrom, ring.get(use.slab, SlabWord.inDone));
    ring.set(use.slab, SlabWord.retake, 0);
    ring.resume(use.slab);
    this.#resumed += 1;
    this.#committed -= 1;
    use.held = this.#next(4);
    use.slot = -1;
    this.#order.unshift(use); // Sequence order: it was committed before all that wait.
    this.#order.sort((left, right) => (left.sequence - right.sequence) | 0);
    this.#send(use);
  }

  async #kill(slot: number): Promise<void> {
    await this.#workers[slot]!.terminate();
    this.#killed += 1;
    Atomics.store(this.#ring.words, mailboxOf(this.#ring, slot), 0); // Its reader is gone.
    await this.#start(slot);
    for (const use of this.#order) {
      if (use.slot !== slot || ((use.held & 1) === 0 && this.#ring.state(use.slab) === SlabState.ready)) continue; // A complete one may count, or not.
      this.#ring.reclaim(use.slab);
      use.slot = -1;
      this.#send(use);
    }
  }

  async #start(slot: number): Promise<void> {
    const worker = this.#spawn({ shared: this.#ring.shared, slot, mode: this.#options.mode });
    this.#workers[slot] = worker;
    await once(worker, 'online');
  }

  #spawn(data: StressWorkerData): Worker {
    const worker = new Worker(WORKER, { workerData: data });
    worker.on('error', (error: Error) => this.#errors.push(error));
    return worker;
  }

  #next(below: number): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (this.#random >>> 8) % below;
  }
}
