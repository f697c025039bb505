/** Waits for a write to be committed; what LMDB-js says of a failed one is always caught, for it would end the process else. */

/** The reason comes with the failure, or not at all. */
const REASON_MS_MAX = 1_000;

/** Rejects with the reason of LMDB. */
export async function committed<T>(write: PromiseLike<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    throw await reasonOf(error);
  }
}

/** LMDB-js puts the reason into a promise of its own, beside the error that it rejects the write with. */
async function reasonOf(error: unknown): Promise<unknown> {
  const reason = (error as { readonly commitError?: Promise<unknown> } | null)?.commitError;
  if (reason === undefined) return error;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<unknown>((resolve) => (timer = setTimeout(resolve, REASON_MS_MAX, error)));
  const found = reason.then(
    () => error,
    (cause: unknown) => cause,
  );
  const cause = await Promise.race([found, late]);
  clearTimeout(timer);
  return cause;
}
