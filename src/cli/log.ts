/** Log lines of the command line: text on stderr, at `LOG_LEVEL` and above; secrets in them are hidden. */
import { redactUrl } from '../config/redact.ts';
import type { Logger } from '../config/resolved.ts';
import { note } from './output.ts';

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type Level = (typeof levels)[number];

/** Without a level only errors are printed. `trace` and `fatal`, which pino knows too, count as their neighbours. */
export function stderrLogger(wanted: string | undefined): Logger {
  const asked = (wanted ?? '').toLowerCase().replace('trace', 'debug').replace('fatal', 'error');
  const lowest = levels.findIndex((level) => level === asked);
  const from = lowest === -1 ? levels.indexOf('error') : lowest;
  const at =
    (level: Level) =>
    (fields: object, message: string = ''): void => {
      if (levels.indexOf(level) >= from) note(redactUrl(`millrace: ${level}: ${message}${printFields(fields)}`));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function printFields(fields: object): string {
  const texts = Object.entries(fields).map(
    ([name, value]: [string, unknown]) => ` ${name}=${value instanceof Error ? value.message : (JSON.stringify(value) ?? '-')}`,
  );
  return texts.join('');
}
