/** What a result is good for: medians with spread, ratios with their interval, and marks on every figure that proves nothing. */
import type { Entry, ScenarioResult } from './rounds.ts';
import { FOREIGN_SHARE_MAX } from './foreign.ts';
import { median, ratioOf, summarize } from './statistics.ts';
import type { Ratio, Summary } from './statistics.ts';
import type { Goal, Metric, Scenario } from './types.ts';

/** A processor's clock steps by half of this by itself; contenders take turns, so that it meets all alike. */
const DRIFT_MAX = 0.1;

export interface GoalVerdict {
  readonly goal: Goal;
  readonly value: number;
  /** Of a ratio. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly verdict: 'goal' | 'bar' | 'below' | 'not measured';
}

/** Values of one metric over the counted runs. */
export function valuesOf(entry: Entry, metric: string): number[] {
  return entry.runs.filter((run) => !run.dropped).flatMap((run) => (run.figures[metric] === undefined ? [] : [run.figures[metric]]));
}

export function summaryOf(entry: Entry, metric: string): Summary | null {
  const values = valuesOf(entry, metric);
  return values.length === 0 ? null : summarize(values);
}

/** Greater than 1 = `ours` is better, whichever way the metric goes. */
export function compare(result: ScenarioResult, names: { readonly ours: string; readonly theirs: string }, metric: Metric): Ratio | null {
  const find = (name: string): number[] => valuesOf(result.contenders.find((entry) => entry.name === name) ?? NOBODY, metric.key);
  const ours = find(names.ours);
  const theirs = find(names.theirs);
  if (ours.length === 0 || theirs.length === 0) return null;
  return metric.better === 'higher' ? ratioOf(ours, theirs, result.seed) : ratioOf(theirs, ours, result.seed);
}

const NOBODY: Entry = { name: '', label: '', group: '', params: {}, runs: [] };

/** Share of the machine that others used: of the contender that had most of it, the median over its counted runs that say so. */
export function foreignShare(result: ScenarioResult): number {
  const shares = result.contenders.flatMap((entry) =>
    ['foreignShare', 'stealShare'].flatMap((key) => {
      const values = valuesOf(entry, key);
      return values.length === 0 ? [] : [median(values)];
    }),
  );
  return Math.max(0, ...shares);
}

/** Why these figures must be measured again; empty = they stand. */
export function doubts(result: ScenarioResult): string[] {
  const found: string[] = [];
  const foreign = foreignShare(result);
  if (foreign > FOREIGN_SHARE_MAX) found.push(`other processes used up to ${(foreign * 100).toFixed(0)} % of the machine (allowed: 2 %)`);
  const drift = Math.abs(result.fixedLoopMsAfter / result.machine.fixedLoopMs - 1);
  if (drift > DRIFT_MAX) found.push(`a fixed loop ran ${(drift * 100).toFixed(0)} % faster or slower after than before`);
  if (result.machine.dirty) found.push('the sources had changes that no commit holds');
  return found;
}

/** What the others of its group are compared with. */
export function baselineOf(result: ScenarioResult, { group }: Entry): string {
  return result.contenders.find((entry) => entry.group === group)!.name;
}

export function judgeGoals(scenario: Scenario, result: ScenarioResult): GoalVerdict[] {
  return scenario.goals.map((goal) => {
    const metric = scenario.metrics.find(({ key }) => key === goal.metric)!;
    const found = goalValue(result, goal, metric);
    if (found === null) return { goal, value: Number.NaN, interval: null, verdict: 'not measured' };
    // A ratio is turned so that greater is better, whatever its metric; one of costs is not.
    const higher = goal.rival === undefined ? metric.better === 'higher' : goal.cost !== true;
    const reaches = (wanted: number): boolean => (higher ? found.value >= wanted : found.value <= wanted);
    return { goal, ...found, verdict: reaches(goal.goal) ? 'goal' : reaches(goal.bar) ? 'bar' : 'below' };
  });
}

/** Null = not measured. */
export function goalValue(
  result: ScenarioResult,
  goal: Omit<Goal, 'bar' | 'goal'>,
  metric: Metric,
): Pick<GoalVerdict, 'value' | 'interval'> | null {
  const { rival, contender } = goal;
  if (rival === undefined) {
    const entry = result.contenders.find(({ name }) => name === contender);
    const summary = entry === undefined ? null : summaryOf(entry, goal.metric);
    return summary === null ? null : { value: summary.median, interval: null };
  }
  const names = goal.cost === true ? { ours: rival, theirs: contender } : { ours: contender, theirs: rival };
  const ratio = compare(result, names, metric);
  return ratio === null ? null : { value: ratio.value, interval: ratio.few ? null : [ratio.low, ratio.high] };
}
