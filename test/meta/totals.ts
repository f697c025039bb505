/** What one test file's run amounts to: a file that says nothing, dies or runs nothing never counts as passed. */

export interface FileRun {
  readonly file: string;
  readonly output: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly elapsedMs: number;
}

export interface FileTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why the file failed, '' when it did not. */
  readonly reason: string;
}

// uvu's closing lines. The last set counts: a test may itself print the output of another run.
const TOTALS = /\n {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration:/g;
const COLOURS = /\u001b\[[0-9;]*m/g;

/** `strict` (CI): nothing may be skipped, since there a server that is absent is a fault of the machine. */
export function totalsOf(run: FileRun, { strict }: { readonly strict: boolean }): FileTotals {
  const found = [...`\n${run.output.replace(COLOURS, '')}`.matchAll(TOTALS)].at(-1);
  const [total, passed, skipped] = found === undefined ? [0, 0, 0] : [Number(found[1]), Number(found[2]), Number(found[3])];
  const fail = (reason: string): FileTotals => ({ passed, failed: Math.max(1, total - passed), skipped, reason });
  if (run.timedOut) return fail(`killed after ${run.elapsedMs} ms`);
  if (run.signal !== null) return fail(`ended by ${run.signal}`);
  if (found === undefined) return fail(`exit code ${run.exitCode} without a report`);
  if (run.exitCode !== 0 || passed < total) return fail(`exit code ${run.exitCode}, ${total - passed} of ${total} failed`);
  if (total + skipped === 0) return fail('ran nothing');
  if (strict && skipped > 0) return { passed, failed: skipped, skipped: 0, reason: `${skipped} skipped where nothing may be` };
  return { passed, failed: 0, skipped, reason: '' };
}

/** The line that ends every run. */
export function closingLine({ passed, failed, skipped }: Omit<FileTotals, 'reason'>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
