/** One command's processor, from connect to close: signals are heard before the connect begins, and warnings are printed. */
import { MillraceError } from '../api/errors.ts';
import type { Source, IngestOptions } from '../api/options.ts';
import type { EventProcessor } from '../api/processor.ts';
import type { IngestReport } from '../api/report.ts';
import type { ConnectOptions } from '../config/table.ts';
import { exitCodeOfLedger, exitCodes } from './exit-codes.ts';
import { note, paint, printLine } from './output.ts';
import { ProgressLine } from './progress.ts';
import { reportText } from './report-text.ts';
import { Stop } from './signals.ts';

export interface SessionRequest {
  readonly target: string;
  readonly connectOptions: ConnectOptions;
  readonly drainTimeoutMs: number;
}

export interface Session {
  readonly processor: EventProcessor;
  readonly stop: Stop;
  readonly progress: ProgressLine;
}

/** Runs `work` with an open processor and gives the exit code: that of the signal when one ended it in good order, else that of `work`. */
export async function withProcessor(
  { target, connectOptions, drainTimeoutMs }: SessionRequest,
  work: (session: Session) => Promise<number>,
): Promise<number> {
  let processor: EventProcessor | null = null;
  using stop = new Stop({ drainTimeoutMs, unsettled: () => processor?.stats().inFlight ?? 0 });
  const progress = new ProgressLine();
  try {
    // Loaded here: the clients and native parts behind it would slow down every `--help`.
    const { connect } = await import('../index.ts');
    processor = await connect(target, { ...connectOptions, signal: stop.signal });
    processor.on('warning', (message) => {
      progress.clear();
      note(`${paint('millrace: warning:', 'yellow')} ${message}`);
    });
    processor.on('error', () => progress.clear()); // The log tells it, and the call that it ends.
    return stop.exitCode(await work({ processor, stop, progress }));
  } catch (error) {
    progress.clear();
    if (stop.received === null || !(error instanceof MillraceError) || error.code !== 'MILLRACE_ABORTED') throw error;
    return stop.exitCode(exitCodes.ok);
  } finally {
    await processor?.close();
  }
}

/** Ingests with a live line and prints the report, also when a failure or a signal ended it: what had been taken has settled then. */
export async function ingestAndReport(
  { processor, stop, progress }: Session,
  source: Source | readonly Source[],
  { json, ...options }: IngestOptions & { readonly json: boolean },
): Promise<number> {
  try {
    const report = await processor.ingest(source, { ...options, signal: stop.signal, onProgress: (now) => progress.update(now) });
    await printReport(report, { json, progress });
    return exitCodeOfLedger(report);
  } catch (error) {
    const report = error instanceof MillraceError ? (error.context['report'] as IngestReport | undefined) : undefined;
    // What could not even begin has nothing to report.
    if (report !== undefined && report.bytesIn > 0) await printReport(report, { json, progress });
    throw error;
  }
}

async function printReport(
  report: IngestReport,
  { json, progress }: { readonly json: boolean; readonly progress: ProgressLine },
): Promise<void> {
  progress.clear();
  await printLine(json ? JSON.stringify(report) : reportText(report));
}
