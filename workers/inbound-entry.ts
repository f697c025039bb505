/** What the pool of handlers loads in each thread: a task names a ring and a slab; what a ring is comes along when this thread asks for it. */
import { threadId } from 'node:worker_threads';
import { loadHandler } from './inbound-handler.ts';
import { InboundRun } from './inbound-run.ts';
import type { AbsentSteering } from './inbound-steering.ts';
import type { Handler, ModuleReference } from '../src/api/event.ts';
import { Ring } from '../src/memory/ring.ts';
import type { SharedRing } from '../src/memory/ring.ts';

export interface HandlerSetup {
  readonly shared: SharedRing;
  readonly handler: ModuleReference;
  readonly absent: AbsentSteering;
}

export interface HandlerTask {
  /** Number of the ring in its pool. */
  readonly ring: number;
  readonly slab: number;
  /** Given when a thread has said that it does not know the ring. */
  readonly setup?: HandlerSetup;
}

export const DONE = 0;
export const UNKNOWN_RING: number = -1;

/** Rings remembered; a ring whose subscription has ended is forgotten in its turn. */
const RINGS_MAX = 16;
const BEAT_MS = 100;

interface KnownRing {
  readonly ring: Ring;
  readonly handler: Handler;
  readonly absent: AbsentSteering;
}

const known: Map<number, Promise<KnownRing> | KnownRing> = new Map();
const atWork: Set<InboundRun> = new Set();
let beating: NodeJS.Timeout | null = null;

/** Runs a slab to its end; asynchronous only as far as the handler is. */
export function runInbound(task: HandlerTask): number | Promise<number> {
  let found = known.get(task.ring);
  if (found === undefined) {
    if (task.setup === undefined) return UNKNOWN_RING;
    found = learn(task.ring, task.setup);
  }
  return found instanceof Promise ? found.then((ring) => run(ring, task.slab)) : run(found, task.slab);
}

export async function checkHandler(reference: ModuleReference): Promise<void> {
  await loadHandler(reference);
}

function learn(id: number, { shared, handler, absent }: HandlerSetup): Promise<KnownRing> {
  if (known.size >= RINGS_MAX) known.delete(known.keys().next().value!);
  const learning = loadHandler(handler).then((loaded) => {
    const ring: KnownRing = { ring: Ring.attach(shared), handler: loaded, absent };
    if (known.get(id) === learning) known.set(id, ring);
    return ring;
  });
  known.set(id, learning);
  learning.catch(() => known.delete(id));
  return learning;
}

function run({ ring, handler, absent }: KnownRing, slab: number): number | Promise<number> {
  const one = new InboundRun(ring, slab, { handler, absent, threadId });
  const work = one.run();
  if (work === null) return DONE;
  atWork.add(one);
  beating ??= setInterval(beat, BEAT_MS);
  return work.then(() => ended(one));
}

function beat(): void {
  for (const one of atWork) one.beat();
}

function ended(one: InboundRun): number {
  atWork.delete(one);
  if (atWork.size === 0 && beating !== null) {
    clearInterval(beating);
    beating = null;
  }
  return DONE;
}
