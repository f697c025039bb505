/** Assertions in the words of the promises: which code a call fails with, and which numbers have come. */
import * as assert from 'uvu/assert';
import { MillraceError } from '../../src/index.ts';
import type { ErrorCode } from '../../src/index.ts';

/** The call fails with this code; its error is given back. */
export async function failsWith(code: ErrorCode, what: string, call: () => unknown): Promise<MillraceError> {
  try {
    await call();
  } catch (error) {
    assert.instance(error, MillraceError, `${what}: ${String(error)}`);
    assert.is((error as MillraceError).code, code, `${what}: ${(error as MillraceError).message}`);
    return error as MillraceError;
  }
  throw new Error(`${what}: it should have failed with ${code}`);
}

export const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => n + from);

/** All numbers below `count`, each once, in this order. */
export function inOrder(events: readonly unknown[], count: number): void {
  assert.equal(events, numbers(count));
}

/** These texts in any order, each as often as it is named. */
export function inAnyOrder(events: readonly unknown[], wanted: readonly string[]): void {
  const sorted = (values: readonly unknown[]): string[] => values.map(String).toSorted((a, b) => a.localeCompare(b));
  assert.equal(sorted(events), sorted(wanted));
}

/** The same in any order. */
export function eachOnce(events: readonly unknown[], count: number): void {
  assert.equal(
    [...events].toSorted((a, b) => Number(a) - Number(b)),
    numbers(count),
  );
}
