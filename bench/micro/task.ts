/** The shape of a micro bench: what one step does, how many operations it counts for, and a check of its answer. */
import type { Params } from '../harness/types.ts';

export interface MicroTask {
  readonly opsPerStep: number;
  readonly step: () => void;
  /** Words that say what was compared; throws when the answer is wrong. */
  readonly check: () => string;
  readonly bytesPerId?: number;
  /** The same step without what is asked for; timed after it and taken off as `addedNs`. */
  readonly floor?: () => void;
}

export interface MicroSetup {
  readonly params: Params;
  readonly seed: number;
}

export type MicroTasks = Readonly<Record<string, (setup: MicroSetup) => MicroTask>>;

export function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`wrong answer: ${what}`);
}
