/** Where dead letters are, and which of them are meant: the flags that all `dlq` commands share. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { MillraceError } from '../api/errors.ts';
import { rejectReasons } from '../api/reject-reasons.ts';
import type { RejectReason } from '../api/reject-reasons.ts';
import type { DeadLetterFilter } from '../resilience/dead-letter-types.ts';
import { readCommandLine, textOption } from './command-options.ts';
import type { LetterPlace } from './letters.ts';
import { openPlace } from './letters.ts';
import { note, paint } from './output.ts';
import { nearestName } from '../config/nearest.ts';

export function addFilterFlags(command: Command): Command {
  return command
    .addOption(new Option('--reason <REASON>', 'only letters with this reason'))
    .addOption(new Option('--of-subject <SUBJECT>', 'only letters of this subject'))
    .addOption(new Option('--before <TIME>', 'only letters older than this time, ISO 8601'))
    .addOption(new Option('--after <TIME>', 'only letters newer than this time, ISO 8601'));
}

/** The letters that ids and flags name; every fault in one error. */
export function filterOf(command: Command, ids: readonly string[]): DeadLetterFilter {
  const faults: string[] = [];
  const reason = textOption(command, 'reason');
  if (reason !== undefined && !(rejectReasons as readonly string[]).includes(reason)) {
    const close = nearestName(reason, rejectReasons);
    faults.push(
      `flag --reason: "${reason}" is none of ${rejectReasons.slice(1).join(', ')}${close === null ? '' : `; did you mean ${close}?`}`,
    );
  }
  const time = (name: string): Date | undefined => {
    const text = textOption(command, name);
    if (text === undefined) return undefined;
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) faults.push(`flag --${name}: "${text}" is no time; expected ISO 8601 as 2026-01-31T12:00:00Z`);
    return date;
  };
  const [before, after, subject] = [time('before'), time('after'), textOption(command, 'ofSubject')];
  if (faults.length > 0) throw new MillraceError('MILLRACE_CONFIG', faults.join('; '));
  return {
    ...(ids.length === 0 ? {} : { ids: new Set(ids) }),
    ...(reason === undefined ? {} : { reason: reason as RejectReason }),
    ...(subject === undefined ? {} : { subject }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

export async function openLetters(command: Command, signal?: AbortSignal): Promise<LetterPlace> {
  return openPlace(readCommandLine(command, { address: 'to', call: null }).resolution.options.deadLetters, signal);
}

/** Damage is told, never skipped in silence. */
export function tellDamage({
  file,
  byteOffset,
  bytes,
}: {
  readonly file: string;
  readonly byteOffset: number;
  readonly bytes: number;
}): void {
  note(`${paint('millrace: warning:', 'yellow')} ${file}: ${bytes} bytes from byte ${byteOffset} are damaged`);
}
