/** Runs every interleaving of a few generator threads, each state once; says which schedule broke a rule. */

/** Where a thread stands: `at` names the place and every local that matters, `when` (if any) must hold for it to go on. */
export interface Stop {
  readonly at: string;
  readonly when?: () => boolean;
}
export type Thread = Generator<Stop, void, undefined>;

export interface World {
  /** All shared and global state, as text: two worlds with equal text and equal stops go on alike. */
  readonly text: () => string;
  readonly threads: Readonly<Record<string, Thread>>;
  /** Threads that may go on or not: a crash. */
  readonly whims: readonly string[];
  /** Threads that serve for ever: waiting is no fault of theirs. */
  readonly servers: readonly string[];
  /** Threads that will never run again. */
  readonly dead: (name: string) => boolean;
  /** Throws when a rule is broken; after each step, and at the end. */
  readonly check: () => void;
  readonly checkEnd: () => void;
}

export interface Exploration {
  readonly states: number;
  readonly ends: number;
  readonly depthMax: number;
  /** Null = no schedule broke a rule. */
  readonly broken: { readonly why: string; readonly schedule: readonly string[] } | null;
}

const STATES_MAX = 3_000_000;

interface Running {
  readonly world: World;
  readonly stops: Map<string, Stop | null>;
}

function start(make: () => World, schedule: readonly string[]): Running {
  const world = make();
  const running: Running = { world, stops: new Map(Object.keys(world.threads).map((name) => [name, advance(world, name)])) };
  for (const name of schedule) running.stops.set(name, advance(world, name));
  return running;
}

function advance(world: World, name: string): Stop | null {
  const { value, done } = world.threads[name]!.next();
  return done === true ? null : value;
}

function runnable({ world, stops }: Running): string[] {
  return [...stops].flatMap(([name, stop]) => (stop !== null && !world.dead(name) && (stop.when?.() ?? true) ? [name] : []));
}

function textOf({ world, stops }: Running): string {
  return world.text() + [...stops].map(([name, stop]) => (world.dead(name) ? '†' : (stop?.at ?? '·'))).join('|');
}

/** Depth first. A branch is replayed from the start when its turn comes: generators cannot be copied. */
export function explore(make: () => World): Exploration {
  const search = new Search();
  for (let schedule = search.branches.pop(); schedule !== undefined; schedule = search.branches.pop()) {
    try {
      search.follow(start(make, schedule), schedule);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...search.figures, broken: { why, schedule } };
    }
  }
  return { ...search.figures, broken: null };
}

class Search {
  readonly branches: string[][] = [[]];
  readonly #seen = new Set<string>();
  #ends = 0;
  #depthMax = 0;

  get figures(): Omit<Exploration, 'broken'> {
    return { states: this.#seen.size, ends: this.#ends, depthMax: this.#depthMax };
  }

  /** Goes on with the first thread that can, and leaves the others for later; extends `schedule` as it goes. */
  follow(running: Running, schedule: string[]): void {
    for (;;) {
      running.world.check();
      const text = textOf(running);
      if (this.#seen.has(text)) return;
      this.#seen.add(text);
      if (this.#seen.size > STATES_MAX) throw new Error(`more than ${STATES_MAX} states`);
      this.#depthMax = Math.max(this.#depthMax, schedule.length);
      const next = runnable(running);
      if (next.every((name) => running.world.whims.includes(name))) this.#end(running);
      const [first, ...others] = next;
      if (first === undefined) return;
      for (const other of others) this.branches.push([...schedule, other]);
      schedule.push(first);
      running.stops.set(first, advance(running.world, first));
    }
  }

  #end(running: Running): void {
    this.#ends += 1;
    atEnd(running);
  }
}

function atEnd({ world, stops }: Running): void {
  const stuck = [...stops].filter(
    ([name, stop]) => stop !== null && !world.dead(name) && !world.whims.includes(name) && !world.servers.includes(name),
  );
  if (stuck.length > 0) throw new Error(`stuck: ${stuck.map(([name, stop]) => `${name} at ${stop!.at}`).join(', ')}`);
  world.checkEnd();
}
