/** What a library prints by itself is not the one clear line of this program: it is told as an error, and is a log line here. */
import type { Logger } from '../config/resolved.ts';

/** LMDB-js prints each write that a full disk refuses, and rejects it as well. */
const NOISY = /[\\/]node_modules[\\/]lmdb[\\/]/;

/** Everything else that user code prints goes where it always goes. */
export function quietLibraries(logger: Logger): void {
  const print = console.error.bind(console);
  console.error = (...values: unknown[]): void => {
    const [first] = values;
    if (values.length === 1 && first instanceof Error && NOISY.test(first.stack ?? '')) logger.debug({}, `lmdb: ${first.message}`);
    else print(...values);
  };
}
