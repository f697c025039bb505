/** Plays a scenario: every contender in each round, the order turned around from round to round (ABBA), so that drift hits all alike. */
import { FOREIGN_SHARE_MAX } from './foreign.ts';
import { launch } from './launch.ts';
import { fixedLoopMs, paceMs } from './fixed-loop.ts';
import { stampMachine } from './machine.ts';
import type { Stamp } from './machine.ts';
import { Absent } from './types.ts';
import type { Contender, Params, Placement, RunResult, Scenario, SetName } from './types.ts';

export interface Run extends RunResult {
  readonly round: number;
  /** First rounds, which warm the machine, are kept and not counted. */
  readonly dropped: boolean;
  /** Others used the machine meanwhile, so it was played once more. */
  readonly disturbed?: boolean;
  /** The fixed loop just before or just after it, whichever was slower. */
  readonly paceMs?: number;
}

export interface Entry {
  readonly name: string;
  readonly label: string;
  readonly group: string;
  readonly params: Params;
  readonly runs: readonly Run[];
  /** Why it did not run. */
  readonly absent?: string;
  readonly failed?: string;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly set: SetName;
  readonly placement: Placement;
  readonly seed: number;
  readonly machine: Stamp;
  readonly fixedLoopMsAfter: number;
  readonly tookSeconds: number;
  readonly contenders: readonly Entry[];
}

export interface PlayOptions {
  readonly set: SetName;
  readonly placement: Placement;
  readonly seed: number;
  /** Overrides the scenario's own number. */
  readonly rounds: number | null;
  readonly onRun: (contender: Contender, text: string) => void;
}

/** A neighbour on the same core takes up to half of its speed, and no figure of the system shows it: seen by the fixed loop beside a run. */
const SLOWED_MAX = 1.25;

interface Slot {
  readonly contender: Contender;
  readonly runs: Run[];
  absent?: string;
  failed?: string;
}

export async function play(scenario: Scenario, options: PlayOptions): Promise<ScenarioResult> {
  const started = performance.now();
  const machine = stampMachine();
  const slots = scenario.contenders(options.set).map((contender): Slot => ({ contender, runs: [] }));
  const dropped = options.rounds === 1 ? 0 : scenario.dropped[options.set];
  const rounds = (options.rounds ?? scenario.rounds[options.set]) + dropped;
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? slots : slots.toReversed();
    for (const slot of order) await playOne(slot, { round, dropped: round < dropped, options, bestMs: machine.fixedLoopMs });
  }
  return {
    scenario: scenario.name,
    set: options.set,
    placement: options.placement,
    seed: options.seed,
    machine,
    fixedLoopMsAfter: fixedLoopMs(),
    tookSeconds: Math.round((performance.now() - started) / 1_000),
    contenders: slots.map(({ contender: { name, label, params, group = '' }, runs, absent, failed }) => ({
      name,
      label,
      group,
      params,
      runs,
      ...(absent === undefined ? {} : { absent }),
      ...(failed === undefined ? {} : { failed }),
    })),
  };
}

interface Turn {
  readonly round: number;
  readonly dropped: boolean;
  readonly options: PlayOptions;
  /** The fixed loop at its best. */
  readonly bestMs: number;
}

async function playOne(slot: Slot, turn: Turn): Promise<void> {
  const { contender, runs } = slot;
  const counted = runs.filter((run) => !run.dropped).length;
  if (slot.absent !== undefined || slot.failed !== undefined || counted >= (contender.roundsMax ?? Number.POSITIVE_INFINITY)) return;
  try {
    const run = await runOnce(contender, turn);
    turn.options.onRun(contender, briefly(run));
    // By rule and not by eye: a run that others disturbed is kept, not counted, and played once more.
    const disturbed = !turn.dropped && turn.options.set === 'full' && isDisturbed(run, turn.bestMs);
    runs.push({ ...run, dropped: turn.dropped || disturbed, ...(disturbed ? { disturbed } : {}) });
    if (!disturbed) return;
    const again = await runOnce(contender, turn);
    turn.options.onRun(contender, `again, for others used the machine: ${briefly(again)}`);
    runs.push(again);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Absent) slot.absent = message;
    else slot.failed = message;
    turn.options.onRun(contender, `${error instanceof Absent ? 'absent' : 'FAILED'}: ${message}`);
  }
}

async function runOnce(contender: Contender, { round, options: { seed, placement, set } }: Turn): Promise<Run> {
  const beforeMs = set === 'full' ? paceMs() : 0;
  const result = await launch({ contender, round, seed, placement });
  return { ...result, round, dropped: false, ...(set === 'full' ? { paceMs: Math.max(beforeMs, paceMs()) } : {}) };
}

function isDisturbed({ figures, paceMs: pace = 0 }: Run, bestMs: number): boolean {
  return Math.max(figures['foreignShare'] ?? 0, figures['stealShare'] ?? 0) > FOREIGN_SHARE_MAX || pace > bestMs * SLOWED_MAX;
}

function briefly({ figures }: RunResult): string {
  return Object.entries(figures)
    .slice(0, 8)
    .map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
