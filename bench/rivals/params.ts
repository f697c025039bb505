/** What the parameters of a run say, in types. */
import type { InputOptions } from '../harness/input.ts';
import type { Params, RunRequest } from '../harness/types.ts';

export function numberOf(params: Params, name: string, otherwise = 0): number {
  const value = params[name];
  return typeof value === 'number' ? value : otherwise;
}

export function textOf(params: Params, name: string, otherwise = ''): string {
  const value = params[name];
  return typeof value === 'string' ? value : otherwise;
}

/** The same input for every contender of a scenario. */
export function inputOf({ params, seed }: RunRequest): InputOptions {
  return {
    count: numberOf(params, 'events', 1_000_000),
    duplicates: numberOf(params, 'duplicates', 0),
    seed,
    bytes: numberOf(params, 'bytes'),
    subjects: numberOf(params, 'subjects'),
    data: textOf(params, 'data') as NonNullable<InputOptions['data']>,
  };
}
