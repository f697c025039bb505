/** Profiles the command itself, as PERF.md tells users to: `--cpu-prof` on an ingest with one worker, and on the inline mode. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startBroker } from '../harness/broker.ts';
import { inputFile } from '../harness/input.ts';
import { stampMachine } from '../harness/machine.ts';
import { resultsFolder } from '../harness/places.ts';
import { readProfile, topSelf } from './cpu-profile.ts';
import type { Profile } from './cpu-profile.ts';
import { flameSvg } from './flame.ts';

const EVENTS = 3_000_000;
const INTERVAL_MICROS = '250';
const TOP = 15;
const RUN_MS_MAX = 300_000;

export const flamesFolder: string = join(resultsFolder, 'flames');

export interface ThreadProfile {
  readonly thread: 'main' | 'worker' | 'inline';
  readonly busyMs: number;
  readonly idleMs: number;
  readonly top: readonly { readonly name: string; readonly place: string; readonly share: number }[];
}

export async function profileIngest(seed: number): Promise<void> {
  const input = await inputFile({ count: EVENTS, duplicates: 0.02, seed });
  const machine = stampMachine();
  mkdirSync(flamesFolder, { recursive: true });
  const [main, worker] = await profileOnce(input, 1);
  const [inline] = await profileOnce(input, 0);
  const threads = { main: main!, worker: worker!, inline: inline! };
  const summaries = Object.entries(threads).map(([thread, profile]): ThreadProfile => {
    writeFileSync(join(flamesFolder, `${thread}.svg`), flameSvg(profile, thread));
    return { thread: thread as ThreadProfile['thread'], busyMs: profile.busyMs, idleMs: profile.idleMs, top: topSelf(profile, TOP) };
  });
  writeFileSync(
    join(resultsFolder, 'profile.json'),
    `${JSON.stringify({ profile: 'ingest', machine, events: EVENTS, seed, threads: summaries }, null, 1)}\n`,
  );
  for (const { thread, top } of summaries)
    console.log(
      `${thread}: ${top
        .slice(0, 5)
        .map(({ name, share }) => `${name} ${(share * 100).toFixed(0)} %`)
        .join(', ')}`,
    );
}

/** Profiles of the threads in the order they started: main first. */
async function profileOnce(input: string, workers: number): Promise<Profile[]> {
  const broker = await startBroker('jetstream', 'shared');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-profile-'));
  try {
    const command = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval', INTERVAL_MICROS];
    const to = `nats+jetstream://${broker.url.replace('nats://', '')}/BENCH`;
    const args = [
      ...flags,
      command,
      'ingest',
      input,
      '--id',
      '/id',
      '--subject',
      'bench.events',
      '--to',
      to,
      '--workers',
      String(workers),
      '--json',
    ];
    await promisify(execFile)(process.execPath, args, { timeout: RUN_MS_MAX });
    const names = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
    // CPU.<date>.<time>.<pid>.<thread>.<number>: main has thread 0.
    return names.toSorted((a, b) => threadOf(a) - threadOf(b)).map((name) => readProfile(join(folder, name)));
  } finally {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const threadOf = (name: string): number => Number(name.split('.')[4]);
