/** Ingests a file in processes that are killed at random moments until one reaches the end; the seed is printed, so that a failure can be run again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ended } from './ingest-process.ts';
import { ingestProcess } from './ingest-process.ts';
import { messagesIn } from './stored-events.ts';

export interface Scratch {
  readonly folder: string;
  readonly file: string;
  remove(): void;
}

/** `count` events with id and number, of three types, and lines of different lengths. */
export function eventsFile(count: number, name = 'events.ndjson'): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-recovery-'));
  const file = join(folder, name);
  const lines: string[] = [];
  for (let n = 0; n < count; n += 1)
    lines.push(`{"id":"e-${n}","n":${n},"type":"${'abc'[n % 3]}","pad":"${'x'.repeat(40 + ((n * 7) % 90))}"}\n`);
  writeFileSync(file, lines.join(''));
  return { folder, file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Numbers from 0 to 1 that a seed decides. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const newSeed = (): number => Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

export interface KillPlan {
  readonly server: string;
  readonly stream: string;
  readonly cwd: string;
  /** Arguments of the next run. */
  readonly args: (run: number) => readonly string[];
  readonly kills: number;
  readonly random: () => number;
  /** Longest wait after the first message of a run is stored. */
  readonly killMsMax: number;
}

/** The run that reached the end, and how many were killed before. */
export async function ingestWithKills(plan: KillPlan): Promise<Ended & { readonly killed: number }> {
  let killed = 0;
  for (let run = 0; ; run += 1) {
    const before = await messagesIn(plan.server, plan.stream);
    const delayMs = plan.random() * plan.killMsMax;
    const kill = async (ended: AbortSignal): Promise<void> => {
      while (!ended.aborted && (await messagesIn(plan.server, plan.stream)) <= before)
        await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    };
    const ended = await ingestProcess(plan.args(run), plan.cwd, killed < plan.kills ? kill : undefined);
    if (ended.code !== null) return { ...ended, killed };
    killed += 1;
  }
}
