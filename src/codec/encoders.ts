/** The encoder of each source format. */
import type { Format } from '../api/options.ts';
import { CsvEncoder } from './csv-encoder.ts';
import { JsonTranscoder } from './json-transcoder.ts';
import { LineEncoder } from './line-encoder.ts';
import { MsgpackEncoder } from './msgpack-encoder.ts';
import type { FieldPath, RecordEncoder } from './record-encoder.ts';

export interface EncoderExtra {
  /** Column names; csv only. */
  readonly csvHeader?: readonly string[];
}

export function createEncoder(format: Format, paths: readonly FieldPath[], { csvHeader = [] }: EncoderExtra = {}): RecordEncoder {
  if (format === 'lines') return new LineEncoder(paths);
  if (format === 'csv') return new CsvEncoder(csvHeader, paths);
  if (format === 'msgpack') return new MsgpackEncoder(paths);
  return new JsonTranscoder(paths);
}
