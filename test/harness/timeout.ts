/** A suite whose tests and hooks each end within a deadline: uvu alone waits for ever on a promise that never settles. */
import { suite } from 'uvu';
import type { Callback, Context, Test } from 'uvu';

export const TEST_TIMEOUT_MS = 20_000;

/** Settles as `work` does, or rejects when the deadline is first. The timer holds the process, so the report is a failure and not an early exit. */
export async function within<R>(what: string, timeoutMs: number, work: () => R | Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** uvu's `suite`, in which every test, `before` and `after` has `timeoutMs`. */
export function timedSuite<T = Context>(name: string, { timeoutMs = TEST_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Test<T> {
  const inner = suite<T>(name);
  const timed =
    (what: string, callback: Callback<T>): Callback<T> =>
    (context) =>
      within(`${name}: ${what}`, timeoutMs, () => callback(context));
  const before = (hook: Callback<T>): void => inner.before(timed('before', hook));
  const after = (hook: Callback<T>): void => inner.after(timed('after', hook));
  before.each = (hook: Callback<T>): void => inner.before.each(timed('before each', hook));
  after.each = (hook: Callback<T>): void => inner.after.each(timed('after each', hook));
  const outer = (test: string, callback: Callback<T>): void => inner(test, timed(test, callback));
  return Object.assign(outer, {
    before,
    after,
    only: (test: string, callback: Callback<T>): void => inner.only(test, timed(test, callback)),
    skip: (test?: string, callback?: Callback<T>): void => inner.skip(test, callback),
    run: (): void => inner.run(),
  }) as Test<T>;
}
