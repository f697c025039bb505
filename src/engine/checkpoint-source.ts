/** Opens a source where its checkpoint says that it is done so far; everything before that byte counts as settled. */
import type { CheckpointKeeper } from './checkpoint-keeper.ts';
import type { SourceProgress } from './checkpoint-progress.ts';
import { openSource } from './source-open.ts';
import type { ByteSource, ObjectSource, SourceOptions } from './source-types.ts';
import { parseCsvHeader } from '../codec/csv-encoder.ts';
import { createSplitter } from '../codec/splitter.ts';
import type { IngestOptions, Source } from '../api/options.ts';

const HEADER_BYTES_STEP = 64 * 1_024;

export interface OpenedSource {
  readonly opened: ByteSource | ObjectSource;
  /** Null: no checkpoint. */
  readonly progress: SourceProgress | null;
  /** Columns of a CSV file that is begun after its first row. */
  readonly csvHeader: readonly string[] | null;
}

export async function openAtCheckpoint(source: Source, options: IngestOptions, keeper: CheckpointKeeper | null): Promise<OpenedSource> {
  const how: SourceOptions = {
    ...(options.compression === undefined ? {} : { compression: options.compression }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const opened = await openSource(source, how);
  if (keeper === null) return { opened, progress: null, csvHeader: null };
  let csvHeader: readonly string[] | null = null;
  try {
    const progress = await keeper.begin(source, opened);
    const { position } = progress.start;
    if (position === 0) return { opened, progress, csvHeader };
    if ((options.format ?? (opened as ByteSource).format) === 'csv') csvHeader = await readCsvHeader(opened as ByteSource);
    await opened.close();
    return { opened: await openSource(source, { ...how, from: position }), progress, csvHeader };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The first row; it was whole when the file was first read. */
async function readCsvHeader(source: ByteSource): Promise<readonly string[] | null> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const room = new Uint8Array(bytes.length + HEADER_BYTES_STEP);
    room.set(bytes);
    const read = await source.read(room.subarray(bytes.length));
    bytes = room.subarray(0, bytes.length + read);
    const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    const splitter = createSplitter('csv');
    const next = splitter.next(bytes, from, bytes.length);
    if (next > 0 && (next < bytes.length || read === 0)) return parseCsvHeader(bytes, splitter.recordStart, splitter.recordEnd);
    if (read === 0) return null;
  }
}
