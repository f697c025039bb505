/** Reading a source to its end, and the error of work that must fail. */
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { Source } from '../../../src/api/options.ts';
import { openSource } from '../../../src/engine/source-open.ts';
import type { SourceOptions } from '../../../src/engine/source-types.ts';

/** Bytes, or objects, until the end. */
export async function drain(source: Source, options: SourceOptions = {}): Promise<number> {
  const opened = await openSource(source, options);
  try {
    let count = 0;
    if (opened.kind === 'objects') while (!(await opened.next()).done) count += 1;
    else for (let bytes = -1; bytes !== 0; count += bytes === -1 ? 0 : bytes) bytes = await opened.read(new Uint8Array(1_000));
    return count;
  } finally {
    await opened.close();
  }
}

export async function failure(work: Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, MillraceError);
  return error as MillraceError;
}
