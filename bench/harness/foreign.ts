/** Load of others while a run lasted, as a share of the machine: what makes a run prove nothing. */
import { availableParallelism } from 'node:os';
import { kernelThreadSeconds, machineCpu } from './procfs.ts';

/** From here on a run proves nothing. */
export const FOREIGN_SHARE_MAX = 0.02;
/** Ticks of 10 ms say nothing about a shorter run. */
const MS_MIN = 1_000;

export interface MachineMark {
  readonly busy: number;
  readonly steal: number;
  readonly kernel: number;
}

/** Before the work; the listing of the kernel's threads is over when the first figure is read. */
export function markBefore(): MachineMark {
  const kernel = kernelThreadSeconds();
  return { kernel, ...machineCpu() };
}

export function markAfter(): MachineMark {
  const { busy, steal } = machineCpu();
  return { busy, steal, kernel: kernelThreadSeconds() };
}

/** `known`: CPU seconds that are ours or the broker's. Empty for a run too short to tell. */
export function foreignFigures(
  { before, after }: { readonly before: MachineMark; readonly after: MachineMark },
  known: number,
  elapsedMs: number,
): Record<string, number> {
  if (elapsedMs < MS_MIN) return {};
  const capacity = (elapsedMs / 1_000) * availableParallelism();
  const foreign = after.busy - before.busy - known - (after.kernel - before.kernel);
  return { foreignShare: Math.max(0, foreign) / capacity, stealShare: (after.steal - before.steal) / capacity };
}
