/** `ingest`: every source in turn through the ring, and the closed ledger at the end. */
import { randomBytes } from 'node:crypto';
import { ByteIntake } from './byte-intake.ts';
import { CheckpointKeeper } from './checkpoint-keeper.ts';
import type { SourceProgress } from './checkpoint-progress.ts';
import { openAtCheckpoint } from './checkpoint-source.ts';
import { Filler } from './filler.ts';
import { FrameFiller } from './frame-filler.ts';
import { IngestJob } from './ingest-job.ts';
import { ObjectIntake } from './object-intake.ts';
import type { Outbound } from './outbound.ts';
import type { Parts } from './parts.ts';
import { prepareStream } from './preparing.ts';
import { totalBytes } from './source-open.ts';
import type { ByteSource, ObjectSource } from './source-types.ts';
import type { Recovery } from './recovery.ts';
import { SubjectTemplate } from '../codec/subject.ts';
import { MillraceError, wrapError } from '../api/errors.ts';
import type { Format, IdRule, IngestOptions, Source } from '../api/options.ts';
import type { IngestReport } from '../api/report.ts';
import type { PipelineDescription, PipelineTable } from '../memory/pipeline.ts';
import type { LedgerBook } from './ledger.ts';
import { identityOfGeneration } from '../resilience/resume-point.ts';

export interface IngestParts {
  readonly parts: Parts;
  readonly outbound: Outbound;
  readonly pipelines: PipelineTable;
  readonly book: LedgerBook;
  readonly nonce: string;
  readonly version: string;
  readonly recovery: Recovery;
  /** Aborted when the processor drains or closes: sources are read no further. */
  readonly ending: AbortSignal;
}

const UNWATCHED =
  'workers is 0: the transform or schema runs on this thread, where nothing can stop it if it never returns (workerTimeout does not apply)';

/** Settles when all of it has settled. A failure or an abort still settles what was taken, and carries the report as `context.report`. */
export async function ingest(engine: IngestParts, sources: readonly Source[], options: IngestOptions): Promise<IngestReport> {
  const { parts, outbound, book, version, ending } = engine;
  const signal = options.signal === undefined ? ending : AbortSignal.any([options.signal, ending]);
  const job = new IngestJob(parts.options, { ...options, signal }, book);
  const template = SubjectTemplate.parse(options.subject ?? 'events');
  await parts.refusals.prepare(job.deadLetters);
  await prepareStream(parts.broker, template.prefixFilter(), template.filter());
  const { checkpoint = 'off' } = options;
  // A dry run publishes nothing that it could pass over.
  const keeper = checkpoint === 'off' || parts.broker.path === 'dry-run' ? null : await CheckpointKeeper.open(checkpoint, parts, outbound);
  if (parts.options.workers === 0 && (options.transform !== undefined || options.schema !== undefined))
    parts.signals.emit('warning', UNWATCHED);
  job.start(await totalBytes(sources));
  try {
    const after = (await keeper?.after(sources)) ?? null;
    for (const source of sources) {
      if (job.ended) break;
      await ingestSource(engine, job, { source, keeper, after });
    }
  } catch (error) {
    job.fail(error instanceof MillraceError ? error : new MillraceError('MILLRACE_SOURCE', String(error), { cause: error }));
  }
  const cut = ending.aborted;
  await job.settled();
  job.stop();
  const latest = performance.now() + parts.options.drainTimeoutMs;
  const givenUp = (): boolean => signal.aborted || outbound.closed || performance.now() > latest;
  await parts.refusals.whenSafe(givenUp).catch((error: unknown) => job.fail(wrapError('MILLRACE_DEAD_LETTERS', error)));
  await keeper?.close().catch((error: unknown) => job.fail(wrapError('MILLRACE_CHECKPOINT', error)));
  const report = job.report(version);
  options.onProgress?.(job.progress());
  if (options.signal?.aborted === true)
    throw new MillraceError('MILLRACE_ABORTED', 'ingest was aborted by its signal; what had been taken has settled', {
      context: { report },
      cause: options.signal.reason,
    });
  if (cut || outbound.closed)
    throw new MillraceError('MILLRACE_CLOSED', 'the processor was drained or closed during the ingest', { context: { report } });
  if (job.error !== null) throw withReport(job.error, report);
  return report;
}

interface Beginning {
  readonly source: Source;
  readonly keeper: CheckpointKeeper | null;
  /** Nothing that is stored up to this sequence is in doubt; null = not known. */
  readonly after: number | null;
}

async function ingestSource(engine: IngestParts, job: IngestJob, { source, keeper, after }: Beginning): Promise<void> {
  const { opened, progress, csvHeader } = await openAtCheckpoint(source, job.options, keeper);
  if (progress !== null) job.resumed(opened.name, progress.start.position);
  try {
    const plain = describe(engine, job, opened);
    // A path named twice is read twice: its second reading is another source, whose records are not those of the first.
    const reading = identityOfGeneration(plain.source, -job.readingsBefore(plain.source));
    const description = { ...plain, csvHeader, source: identityOfGeneration(reading, progress?.start.generation ?? 0) };
    if (description.transform !== null || description.schema !== null) await checkUserCode(engine, description);
    await engine.recovery.recover(description.id, { after, resumes: progress !== null, signal: job.options.signal });
    if (progress !== null) await keeper?.begun(progress);
    if (opened.kind === 'bytes') await fillBytes(engine, job, { source: opened, description, progress });
    else await fillObjects(engine, job, { source: opened, description });
  } finally {
    progress?.filled();
    await opened.close();
  }
}

async function fillBytes(
  { parts, outbound, pipelines, recovery }: IngestParts,
  job: IngestJob,
  { source, description, progress }: { source: ByteSource; description: PipelineDescription; progress: SourceProgress | null },
): Promise<void> {
  const intake = new ByteIntake({ parts, outbound, pipelines, job, ranges: recovery.ranges, progress }, description);
  const from = progress?.start.position ?? 0;
  try {
    await new Filler(
      { ring: parts.ring, outbound, source, intake, format: description.format, eventBytesMax: parts.options.maxEventBytes, from },
      job.options.signal,
    ).run();
  } finally {
    intake.filled();
  }
}

async function fillObjects(
  { parts, outbound, pipelines }: IngestParts,
  job: IngestJob,
  { source, description }: { source: ObjectSource; description: PipelineDescription },
): Promise<void> {
  const intake = new ObjectIntake({ parts, outbound, pipelines, job }, description);
  const filler = new FrameFiller({ ring: parts.ring, outbound, lingerMs: parts.options.lingerMs }, intake);
  intake.filler = filler;
  try {
    await intake.take(source);
  } finally {
    filler.dispatch();
    intake.filled();
  }
}

async function checkUserCode({ outbound }: IngestParts, description: PipelineDescription): Promise<void> {
  try {
    await outbound.dispatcher.check(description);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new MillraceError('MILLRACE_USAGE', `the transform or schema cannot be loaded: ${message}`, { cause: error });
  }
}

function describe(
  { parts, nonce, recovery }: IngestParts,
  { options, framing }: IngestJob,
  source: ByteSource | ObjectSource,
): PipelineDescription {
  const { options: resolved, broker } = parts;
  const isFile = source.kind === 'bytes' && source.bytesTotal !== null;
  const id: IdRule = options.id ?? resolved.id ?? (isFile ? 'offset' : 'none');
  if (id === 'offset' && source.kind === 'objects')
    throw new MillraceError(
      'MILLRACE_USAGE',
      'id: offset needs a source of bytes; objects have no position. Use a pointer such as /id, or hash',
    );
  const format: Format = options.format ?? (source.kind === 'bytes' ? source.format : null) ?? 'ndjson';
  return {
    format,
    csvHeader: null,
    subject: options.subject ?? 'events',
    id,
    framing,
    batchBytes: resolved.batchBytes,
    batchEvents: resolved.batchEvents,
    eventBytesMax: resolved.maxEventBytes,
    transform: options.transform === undefined ? null : plain(options.transform),
    schema: options.schema === undefined ? null : plain(options.schema),
    messageIds: broker.kind === 'jetstream' || broker.kind === 'dedupe',
    madeIds: broker.resendsWithoutIds !== true,
    headers: options.headers ?? null,
    source: source.kind === 'bytes' ? source.identity : randomBytes(16).toString('hex'),
    rangeOfEach: recovery.promised,
    file: source.kind === 'bytes' && source.bytesTotal !== null ? source.name : null,
    windowed: id === 'hash' || id.startsWith('/'),
    nonce,
  };
}

/** URLs are text in shared memory; a relative path is the caller's, so it is made absolute here. */
function plain({ module, export: name }: NonNullable<IngestOptions['transform']>): { module: string; export: string } {
  return { module: module instanceof URL ? module.href : module, export: name ?? 'default' };
}

function withReport(error: MillraceError, report: IngestReport): MillraceError {
  return new MillraceError(error.code, error.message, {
    retryable: error.retryable,
    outcome: error.outcome,
    cause: error.cause ?? error,
    context: { ...error.context, report },
  });
}
