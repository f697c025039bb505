/** The window's claim of one id, stopping at every Atomics operation and every write that another thread may see; each fault leaves out one rule. */
import type { Stop, Thread, World } from './explorer.ts';

export type WindowFault =
  | 'logAfterReserve'
  | 'reserveWithoutExchange'
  | 'publishWithoutExchange'
  | 'ignoreRotation'
  | 'rollBackOfOthers'
  | 'currentTableOnly'
  | 'watermarkAfterEntry';
export interface WindowModelOptions {
  /** Worker 0 may die; main rolls its log back and its slab runs again on another worker. */
  readonly crash: boolean;
  readonly rotations: number;
  /** Main rolls owner 10's claim back (its batch failed) and then moves the watermark past it. */
  readonly failFirst: boolean;
  readonly fault?: WindowFault;
}

interface Meta {
  readonly stamp: number;
  readonly state: 'empty' | 'reserved' | 'live' | 'rolledBack' | 'abandoned';
}
interface Entry {
  meta: Meta;
  owner: number;
  /** Who reserved it last; only the model knows. */
  reserver: number;
}
interface Found {
  readonly matched: boolean;
  readonly place: number;
  readonly entry: Entry;
  readonly seen: Meta;
}
type Result = 'fresh' | 'known' | 'pending' | 'full';

const PLACES = 4;
const HASTES_MAX = 1; // How often a reserver that lives is given up: without a bound two claimers could go on at it until no place is left.
const EMPTY: Meta = { stamp: -9, state: 'empty' };
const same = (left: Meta, right: Meta): boolean => left.stamp === right.stamp && left.state === right.state;

export class WindowModel implements World {
  readonly threads: Readonly<Record<string, Thread>>;
  readonly whims: readonly string[] = ['crash', 'rotate'];
  readonly servers: readonly string[] = ['reaper'];
  readonly #options: WindowModelOptions;
  readonly #tables: Entry[][] = [0, 1].map(() => Array.from({ length: PLACES }, () => ({ meta: EMPTY, owner: -1, reserver: -1 })));
  #generation = 0;
  #settled = 0;
  #dead = false;
  #rotated = 0;
  #hastes = 0;
  #reaped = false;
  readonly #log = new Map<number, string>(); // Owner → table and place of its one row.
  readonly #results = new Map<number, Result>();
  readonly #failed = new Set<number>();

  constructor(options: WindowModelOptions) {
    this.#options = options;
    this.threads = {
      worker0: this.#worker(10),
      worker1: this.#worker(11),
      ...(options.crash ? { crash: this.#crash(), reaper: this.#reaper() } : {}),
      ...(options.rotations > 0 ? { rotate: this.#rotate() } : {}),
      ...(options.failFirst ? { fail: this.#fail() } : {}),
    };
  }

  text(): string {
    return JSON.stringify([
      this.#tables,
      this.#generation,
      this.#settled,
      this.#dead,
      this.#rotated,
      this.#hastes,
      this.#reaped,
      [...this.#log],
      [this.#results.get(10), this.#results.get(11)],
      [...this.#failed],
    ]);
  }

  dead(name: string): boolean {
    return name === 'worker0' && this.#dead;
  }

  #fresh(): number[] {
    return [...this.#results].flatMap(([owner, result]) => (result === 'fresh' && !this.#failed.has(owner) ? [owner] : []));
  }

  check(): void {
    const fresh = this.#fresh();
    if (fresh.length > 1) throw new Error(`fresh twice: ${fresh.join()}`);
    if (this.#results.get(11) === 'known' && this.#failed.has(10)) throw new Error('lost: known by a claim that failed');
  }

  /** All have answered: exactly one owner has the id, the table says so, and nobody waits for one that is gone. */
  checkEnd(): void {
    const fresh = this.#fresh();
    const live = [this.#generation, this.#generation - 1].flatMap((generation) =>
      this.#table(generation)
        .filter(({ meta }) => same(meta, { stamp: generation, state: 'live' }))
        .map(({ owner }) => owner),
    );
    if (live.join() !== fresh.join()) throw new Error(`fresh: ${fresh.join()}, live: ${live.join()}`);
    if (fresh.length === 0 && !this.#failed.has(10)) throw new Error('lost: nobody has the id');
    if ([...this.#results.values()].includes('full')) throw new Error('full');
  }

  #table(generation: number): Entry[] {
    return this.#tables[generation & 1]!;
  }

  *#worker(owner: number): Thread {
    const result = yield* this.#claim(owner);
    this.#results.set(owner, result);
  }

  *#claim(owner: number): Generator<Stop, Result, undefined> {
    for (;;) {
      yield { at: `${owner} generation` };
      const generation = this.#generation;
      const early = this.#options.fault === 'watermarkAfterEntry';
      const current = yield* this.#find(owner, generation, '');
      const older =
        current.matched || this.#options.fault === 'currentTableOnly'
          ? current
          : yield* this.#find(owner, generation - 1, `${current.place} ${JSON.stringify(current.seen)}`);
      if (older.matched) {
        const answer = yield* this.#found(owner, older.entry, generation, early);
        if (answer === null) continue;
        return answer;
      }
      if (current.place < 0) return 'full';
      const where = `${generation & 1}/${current.place}`;
      if (this.#options.fault !== 'logAfterReserve') this.#log.set(owner, where);
      if (!(yield* this.#take(owner, current, generation))) continue;
      return 'fresh';
    }
  }

  *#take(owner: number, { entry, seen, place }: Found, generation: number): Generator<Stop, boolean, undefined> {
    const where = `${generation & 1}/${place}`;
    const reserved: Meta = { stamp: generation, state: 'reserved' };
    yield { at: `${owner} reserve ${where} ${generation} ${JSON.stringify(seen)}` };
    if (this.#options.fault !== 'reserveWithoutExchange' && !same(entry.meta, seen)) return false;
    entry.meta = reserved;
    entry.reserver = this.#reaped && owner === 10 ? -10 : owner;
    yield { at: `${owner} write ${where} ${generation}` };
    entry.owner = owner;
    yield { at: `${owner} publish ${where} ${generation}` };
    if (this.#options.fault !== 'publishWithoutExchange' && !same(entry.meta, reserved)) return false;
    entry.meta = { stamp: generation, state: 'live' };
    yield { at: `${owner} recheck ${where} ${generation}` };
    if (this.#options.fault === 'logAfterReserve') this.#log.set(owner, where);
    if (this.#generation === generation || this.#options.fault === 'ignoreRotation') return true;
    yield { at: `${owner} undo ${where} ${generation}` };
    if (same(entry.meta, { stamp: generation, state: 'live' })) entry.meta = { stamp: generation, state: 'rolledBack' };
    return false;
  }

  *#found(owner: number, entry: Entry, generation: number, early: boolean): Generator<Stop, Result | null, undefined> {
    if (early) yield { at: `${owner} owner of ${this.#where(entry)} ${generation}` };
    const before = entry.owner;
    yield { at: `${owner} settled ${this.#where(entry)} ${generation} ${early ? before : ''}` };
    const settled = this.#settled;
    if (early) return before < settled ? 'known' : 'pending';
    yield { at: `${owner} again ${this.#where(entry)} ${generation} ${settled}` };
    if (entry.meta.state !== 'live') return null;
    return entry.owner < settled ? 'known' : 'pending';
  }

  #where(entry: Entry): string {
    return this.#tables.map((table, index) => `${index}/${table.indexOf(entry)}`).find((text) => !text.endsWith('-1'))!;
  }

  /** `kept` is what the claim already found in the current table, empty while it looks there. */
  *#find(owner: number, generation: number, kept: string): Generator<Stop, Found, undefined> {
    const table = this.#table(generation);
    const current = kept === '';
    for (let place = 0; place < PLACES; place += 1) {
      const entry = table[place]!;
      yield { at: `${owner} look ${place} ${generation} ${kept}` };
      let seen = entry.meta;
      if (current && seen.state === 'reserved') seen = yield* this.#await(`${owner} abandon ${place} ${generation}`, entry, seen);
      if (seen.state === 'abandoned' || seen.state === 'reserved') continue;
      if (seen.stamp === generation && seen.state === 'live') return { matched: true, place, entry, seen };
      if (current || seen.state === 'empty') return { matched: false, place, entry, seen }; // Empty, stale, or rolled back: the id is the only one here.
    }
    return { matched: false, place: -1, entry: table[0]!, seen: EMPTY };
  }

  /** The wait for a reserver is bounded; the model lets it be too short, a few times. */
  *#await(at: string, entry: Entry, met: Meta): Generator<Stop, Meta, undefined> {
    const gone = (): boolean => this.#dead && entry.reserver === 10;
    yield { at: `${at} ${JSON.stringify(met)}`, when: () => !same(entry.meta, met) || gone() || this.#hastes < HASTES_MAX };
    if (!same(entry.meta, met)) return entry.meta;
    if (!gone()) this.#hastes += 1;
    entry.meta = { stamp: -1, state: 'abandoned' };
    return entry.meta;
  }

  *#crash(): Thread {
    yield { at: 'crash' };
    if (!this.#results.has(10)) this.#dead = true;
  }

  #free(owner: number): void {
    const [table, place] = (this.#log.get(owner) ?? '').split('/');
    const entry = table === undefined || place === undefined ? undefined : this.#tables[Number(table)]?.[Number(place)];
    if (entry?.meta.state !== 'live' || (entry.owner !== owner && this.#options.fault !== 'rollBackOfOthers')) return;
    entry.meta = { stamp: entry.meta.stamp, state: 'rolledBack' };
  }

  /** Main: rolls the dead worker's log back, then another worker runs its slab. */
  *#reaper(): Thread {
    yield { at: 'reap', when: () => this.#dead };
    this.#reaped = true;
    this.#free(10);
    yield* this.#worker(10);
  }

  *#rotate(): Thread {
    while (this.#rotated < this.#options.rotations) {
      yield { at: 'rotate' };
      this.#rotated += 1;
      this.#generation += 1;
    }
  }

  /** Main: owner 10's batch failed. Rolled back first, then settled. */
  *#fail(): Thread {
    yield { at: 'fail', when: () => this.#results.get(10) !== undefined };
    if (this.#results.get(10) !== 'fresh') return;
    this.#free(10);
    this.#failed.add(10);
    yield { at: 'settle' };
    this.#settled = 11;
  }
}
