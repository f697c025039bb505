/** Medians with their spread, and the bootstrap interval of a ratio; the same numbers for the same seed. */

export interface Summary {
  readonly median: number;
  /** Median absolute deviation. */
  readonly mad: number;
  readonly runs: number;
}

export interface Ratio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The interval holds 1.0: nothing is shown either way. */
  readonly undecided: boolean;
  /** Too few runs for the interval to mean anything. */
  readonly few: boolean;
}

const RESAMPLES = 2_000;
const RUNS_MIN = 3;
const CONFIDENCE = 0.95;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function summarize(values: readonly number[]): Summary {
  const middle = median(values);
  return { median: middle, mad: median(values.map((value) => Math.abs(value - middle))), runs: values.length };
}

/** Of ascending `sorted`; `share` from 0 to 1. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))]!;
}

/** Ratio of medians, ours to theirs, and the interval of it that resampling both gives. */
export function ratioOf(ours: readonly number[], theirs: readonly number[], seed: number): Ratio {
  const random = mulberry(seed);
  const resample = (values: readonly number[]): number => median(values.map(() => values[Math.floor(random() * values.length)]!));
  const ratios = Float64Array.from({ length: RESAMPLES }, () => resample(ours) / resample(theirs)).sort();
  const low = percentile(ratios, (1 - CONFIDENCE) / 2);
  const high = percentile(ratios, (1 + CONFIDENCE) / 2);
  return {
    value: median(ours) / median(theirs),
    low,
    high,
    undecided: low <= 1 && high >= 1,
    few: Math.min(ours.length, theirs.length) < RUNS_MIN,
  };
}

/** A small seeded generator, so that a report made twice from the same files is the same. */
export function mulberry(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
