/** How an error ends a command: one clear line and its exit code; a stack only for a defect or with `--verbose`. */
import { CommanderError } from 'commander';
import { errorTable } from '../api/error-codes.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import { redactUrl } from '../config/redact.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { note, paint } from './output.ts';

/** Prints what went wrong and gives the exit code. */
export function reportFailure(thrown: unknown, verbose: boolean): number {
  if (thrown instanceof CommanderError) return reportUsage(thrown);
  if (!(thrown instanceof MillraceError)) {
    note(
      `${paint('millrace: MILLRACE_INTERNAL:', 'red')} ${redactUrl(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))}`,
    );
    note(`  ${errorTable.MILLRACE_INTERNAL.advice}`);
    return exitCodes.usage;
  }
  const { advice } = errorTable[thrown.code];
  const message = redactUrl(thrown.message);
  // Messages about what was typed say themselves what to type instead.
  const line =
    thrown.code === 'MILLRACE_CONFIG' || thrown.code === 'MILLRACE_USAGE' ? message : `${message.replace(/[.\s]+$/, '')}. ${advice}`;
  note(`${paint(`millrace: ${thrown.code}:`, 'red')} ${line}`);
  if (verbose) printCauses(thrown);
  return exitCodeOf(thrown.code);
}

function reportUsage(error: CommanderError): number {
  // Help and version were asked for and are printed already.
  if (error.exitCode === 0) return exitCodes.ok;
  // What follows `=` may be a secret behind a mistyped flag.
  const message = error.message
    .replace(/^error: /, '')
    .replace(/(--[\w-]+)=[^']*/, '$1')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/[.\s]+$/, '');
  if (error.code !== 'commander.help') note(`${paint('millrace: MILLRACE_USAGE:', 'red')} ${redactUrl(message)}. See --help.`);
  return exitCodes.usage;
}

function printCauses(error: MillraceError): void {
  note(paint(redactUrl(error.stack ?? ''), 'dim'));
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < 8; depth += 1) {
    note(paint(`caused by: ${redactUrl(cause instanceof Error ? (cause.stack ?? cause.message) : messageOf(cause))}`, 'dim'));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}
