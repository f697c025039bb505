/** Tries every promise on one kind with 0, 1 and 2 workers; a capability that is declared and not proven is a failure. */
import * as assert from 'uvu/assert';
import type { Capabilities } from '../../src/index.ts';
import { requireServer } from '../harness/resolve-server.ts';
import { timedSuite } from '../harness/timeout.ts';
import type { CapabilityName, Promised } from './promised.ts';
import { promises } from './promises.ts';
import { Rig } from './rig.ts';
import type { Place, Setup } from './setup.ts';

const DEADLINE_MS = 15_000;
const TEST_MS = 40_000;
const WORKERS = [0, 2, 1]; // The broker is ended in the trials with 1 worker.

export interface Trial {
  readonly setup: Setup;
  readonly place: Place;
  readonly workers: number;
  readonly name: string;
  readonly deadlineMs?: number;
}

/** Resolves when the promise holds, with false when the kind does not declare what it needs. */
export async function tryPromise(promised: Promised, { deadlineMs = DEADLINE_MS, ...trial }: Trial): Promise<boolean> {
  const { partitions } = trial.setup;
  const rig = new Rig({ ...trial, deadlineMs, options: promised.shares === true && partitions !== undefined ? { partitions } : {} });
  try {
    await rig.start();
    if (promised.needs?.some((name) => !rig.capabilities[name]) === true) return false;
    await promised.run(rig);
    return true;
  } finally {
    await rig.close();
  }
}

/** Capabilities that are declared, and that no promise that held has proven. */
export function unproven(declared: Capabilities, proven: ReadonlySet<CapabilityName>): CapabilityName[] {
  return (Object.keys(declared) as CapabilityName[]).filter((name) => declared[name] && !proven.has(name));
}

/** What is tried with so many workers: with one worker everything, and last what ends the broker. */
function promisesWith(workers: number): readonly Promised[] {
  if (workers !== 1) return promises.filter(({ once, restarts }) => once !== true && restarts !== true);
  return [...promises.filter(({ restarts }) => restarts !== true), ...promises.filter(({ restarts }) => restarts === true)];
}

/** `workersOf`: a kind whose trials take long has a file for each part of them; the one with 1 worker proves what is declared. */
export function conformance(setup: Setup, workersOf: readonly number[] = WORKERS): void {
  const Suite = timedSuite(`conformance: ${setup.kind}`, { timeoutMs: TEST_MS });
  if (setup.server !== null && requireServer(setup.server) === null) return;
  let place: Place;
  let trials = 0;
  const proven = new Set<CapabilityName>();
  Suite.before(async () => void (place = await setup.start()));
  Suite.after(() => place.stop());
  const add = (promised: Promised, workers: number): void =>
    Suite(`${workers} workers: ${promised.name}`, async () => {
      const name = `c${++trials}`;
      const apart = promised.fills === true ? await setup.startForSubjects?.() : undefined;
      try {
        if (await tryPromise(promised, { setup, place: apart ?? place, workers, name }))
          for (const capability of promised.proves ?? []) proven.add(capability);
      } finally {
        await apart?.stop();
      }
    });
  for (const workers of workersOf) for (const promised of promisesWith(workers)) add(promised, workers);
  if (workersOf.includes(1))
    Suite('declares nothing that was not proven', async () => {
      const rig = new Rig({ setup, place, workers: 0, name: 'declared', deadlineMs: DEADLINE_MS, options: {} });
      try {
        await rig.start();
        assert.equal(unproven(rig.capabilities, proven), []);
      } finally {
        await rig.close();
      }
    });
  Suite.run();
}
