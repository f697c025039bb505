/** What a scenario is made of: contenders that run one at a time in processes of their own, and the figures each run gives. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Params = Readonly<Record<string, Json>>;
export type SetName = 'quick' | 'full';
/** `sink`: takes and acknowledges like JetStream and stores nothing: our ceiling without a broker. */
export type BrokerKind = 'jetstream' | 'kafka' | 'streaming' | 'sink';
export type Placement = 'shared' | 'split';

/** One figure of a run, and what is asked of it. */
export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly digits?: number;
}

/** A goal of ours beside a figure; `rival` makes it a goal for the ratio ours / rival. */
export interface Goal {
  readonly text: string;
  /** Contender that must reach it. */
  readonly contender: string;
  readonly metric: string;
  readonly rival?: string;
  /** The ratio is one of costs, ours / rival, and less is better. */
  readonly cost?: boolean;
  readonly bar: number;
  readonly goal: number;
}

/** One contender of a scenario; `runner` names a module of the table in contenders.ts. */
export interface Contender {
  readonly name: string;
  readonly label: string;
  readonly runner: string;
  readonly params: Params;
  /** The first of a group is what the others of it are compared with; default: one group for all. */
  readonly group?: string;
  /** Started fresh for each run, with a store of its own. */
  readonly broker?: BrokerKind;
  /** Counted rounds that it takes part in at most; a row that no bar compares with need not run in all. */
  readonly roundsMax?: number;
  readonly nodeFlags?: readonly string[];
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What is measured and under which equal guarantees; shown above its table. */
  readonly about: string;
  readonly sets: readonly SetName[];
  readonly metrics: readonly Metric[];
  /** The metric whose ratio to the first contender of the group is reported. */
  readonly primary: string;
  readonly goals: readonly Goal[];
  /** Ratios that are shown beside the goals and that no bar was set for. */
  readonly also?: readonly Omit<Goal, 'bar' | 'goal'>[];
  readonly rounds: Readonly<Record<SetName, number>>;
  /** Rounds to drop at the beginning. */
  readonly dropped: Readonly<Record<SetName, number>>;
  /** Seconds that it takes, for the plan; a result that is there says it better. */
  readonly seconds: Readonly<Record<SetName, number>>;
  readonly contenders: (set: SetName) => readonly Contender[];
  /** Draws a curve: the parameter on the x axis. */
  readonly curve?: { readonly x: string; readonly label: string; readonly log?: boolean; readonly series?: string };
}

/** What the process of one run is given. */
export interface RunRequest {
  readonly runner: string;
  readonly params: Params;
  readonly seed: number;
  readonly round: number;
  readonly url: string;
  readonly brokerPid: number;
  /** A folder of this run alone, removed afterwards. */
  readonly folder: string;
}

export interface RunResult {
  readonly figures: Readonly<Record<string, number>>;
  /** How the result was checked, in words; a run that cannot say is not counted. */
  readonly verified: string;
  readonly notes?: Readonly<Record<string, Json>>;
}

/** Why a contender cannot run here; it is reported as absent, with this reason. */
export class Absent extends Error {
  override readonly name = 'Absent';
}

export type Runner = (request: RunRequest) => Promise<RunResult>;
