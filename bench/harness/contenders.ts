/** Every runner by name; loaded only in the process that runs it. */
import type { Runner } from './types.ts';

type Load = () => Promise<{ readonly run: Runner }>;

const runners: Readonly<Record<string, Load>> = {
  'ours-ingest': () => import('../ours/ingest.ts'),
  'node-each': () => import('../rivals/node-each.ts'),
  'node-batch': () => import('../rivals/node-batch.ts'),
  'piscina-clone': () => import('../rivals/piscina-clone.ts'),
  go: () => import('../rivals/go-program.ts'),
  'nats-bench': () => import('../rivals/nats-bench.ts'),
  'kafka-naive': () => import('../rivals/kafka-naive.ts'),
  'lmdb-direct': () => import('../rivals/lmdb-direct.ts'),
  'ours-latency': () => import('../ours/latency.ts'),
  'ours-objects': () => import('../ours/objects.ts'),
  'ours-kinds': () => import('../ours/kinds.ts'),
  'ours-consume': () => import('../ours/consume.ts'),
  'ours-memory': () => import('../ours/memory.ts'),
  'ours-startup': () => import('../ours/startup.ts'),
  micro: () => import('../micro/run.ts'),
  premade: () => import('../rivals/premade.ts'),
};

export async function runnerOf(name: string): Promise<Runner> {
  const load = runners[name];
  if (load === undefined) throw new Error(`no runner ${name}`);
  return (await load()).run;
}
