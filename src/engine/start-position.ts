/** Start positions as text, resolved: `new`, `all`, `last`, `seq:N`, `time:ISO`, `ago:5m`. */
import { MillraceError } from '../api/errors.ts';
import type { StartPosition } from '../api/options.ts';
import { parseTime } from '../config/units.ts';
import type { StartAt } from '../processors/broker.ts';

export function startAt(position: StartPosition, nowMs: number = Date.now()): StartAt {
  if (position === 'new' || position === 'all' || position === 'last') return { kind: position };
  const colon = position.indexOf(':');
  const [kind, value] = [position.slice(0, colon), position.slice(colon + 1)];
  if (kind === 'seq' && /^\d{1,15}$/.test(value)) return { kind: 'sequence', sequence: Number(value) };
  if (kind === 'time' && !Number.isNaN(Date.parse(value))) return { kind: 'time', time: new Date(value) };
  const agoMs = kind === 'ago' ? parseTime(value) : null;
  if (agoMs !== null) return { kind: 'time', time: new Date(nowMs - agoMs) };
  throw new MillraceError('MILLRACE_USAGE', `start: ${JSON.stringify(position)} is none of new, all, last, seq:N, time:ISO, ago:5m`);
}
