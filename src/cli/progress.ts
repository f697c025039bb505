/** The live line of an ingest on a terminal: rate, bytes, acked, in flight, time left; nothing at all when piped. */
import type { Progress } from '../api/report.ts';
import { isTerminal } from './output.ts';
import { count, duration, megabytes } from './text.ts';

const REDRAW_MS = 100;
const CLEAR_LINE = '\r\u001B[2K';

export class ProgressLine {
  readonly #enabled: boolean;
  #drawnAt: number = 0;
  #drawn: boolean = false;

  constructor(enabled: boolean = isTerminal()) {
    this.#enabled = enabled;
  }

  /** Draws at most ten times a second. */
  update(progress: Progress): void {
    const now = performance.now();
    if (!this.#enabled || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#drawn = true;
    process.stderr.write(CLEAR_LINE + fit(progressText(progress), process.stderr.columns || 80));
  }

  /** Leaves the line empty for what comes next. */
  clear(): void {
    if (this.#drawn) process.stderr.write(CLEAR_LINE);
    this.#drawn = false;
  }
}

export function progressText(progress: Progress): string {
  const { bytesIn, bytesTotal, elapsedMs } = progress;
  const parts = [`${count(progress.eventsPerSecond)} events/s`];
  if (bytesTotal === null) parts.push(megabytes(bytesIn));
  else
    parts.push(
      `${megabytes(bytesIn)} of ${megabytes(bytesTotal)}${bytesTotal > 0 ? ` (${Math.floor((100 * bytesIn) / bytesTotal)}%)` : ''}`,
    );
  parts.push(`acked ${count(progress.acked)}`);
  if (progress.duplicates > 0) parts.push(`duplicates ${count(progress.duplicates)}`);
  if (progress.rejected > 0) parts.push(`rejected ${count(progress.rejected)}`);
  if (progress.failed > 0) parts.push(`failed ${count(progress.failed)}`);
  parts.push(`in flight ${count(progress.inFlight)}`);
  if (bytesTotal !== null && bytesIn > 0 && bytesIn < bytesTotal)
    parts.push(`ETA ${duration((elapsedMs * (bytesTotal - bytesIn)) / bytesIn)}`);
  return parts.join(' · ');
}

function fit(text: string, width: number): string {
  return text.length < width ? text : `${text.slice(0, Math.max(0, width - 2))}…`;
}
