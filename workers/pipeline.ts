/** A pipeline description made ready to run: splitter, encoder, subject template, id rule, fixed header lines, user code. */
import { isUserCode, loadUserCode } from './user-code.ts';
import type { UserCode } from './user-code.ts';
import { createEncoder } from '../src/codec/encoders.ts';
import { headerBlockBytes } from '../src/codec/header-block.ts';
import { MsgpackPicker } from '../src/codec/msgpack-scan.ts';
import { parsePointer } from '../src/codec/pointer.ts';
import type { FieldPath, RecordEncoder } from '../src/codec/record-encoder.ts';
import { createSplitter } from '../src/codec/splitter.ts';
import type { Splitter } from '../src/codec/splitter.ts';
import { SubjectTemplate } from '../src/codec/subject.ts';
import { ID_TEXT_BYTES_MAX } from '../src/memory/layout.ts';
import type { PipelineDescription } from '../src/memory/pipeline.ts';

/** Bytes that the fixed and counted header lines of one message take at most, custom headers aside. */
const HEADER_ROOM_BYTES = 640;
const SINGLE_BYTES = 64; // Status line, content type, `Nats-Msg-Id: ` and line breaks.
const MADE_ID_BYTES = 33; // Three numbers of 32 bits, and what parts them.
const ORIGIN_BYTES = 56; // `Millrace-Source: ` and a range.

/** Ranges of the picked values in encoded bytes, -1 = the event has none. */
export interface Picks {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
}

export interface Pipeline {
  readonly description: PipelineDescription;
  readonly splitter: Splitter;
  readonly encoder: RecordEncoder;
  /** Finds id and subject fields in events that did not come from the encoder. */
  readonly picker: MsgpackPicker;
  /** Paths of all picks: the id's first, then the subject's. */
  readonly paths: readonly FieldPath[];
  readonly template: SubjectTemplate;
  readonly subjectBytes: Uint8Array | null;
  /** Index of the id among the picks, -1 = no field; those of the subject follow. */
  readonly idPick: number;
  readonly subjectPick: number;
  /** Lines of the headers given for all events. */
  readonly headerLines: Uint8Array;
  readonly headerRoom: number;
  readonly envelope: boolean;
  readonly user: UserCode | null;
}

/** Compiles what needs no loading; user code is loaded by `preparePipeline`. */
export async function preparePipeline(description: PipelineDescription): Promise<Pipeline> {
  const user = isUserCode(description) ? await loadUserCode(description) : null;
  return compile(description, user);
}

/** The same without waiting, for pipelines without user code; null = it must be prepared. */
export function compileNow(description: PipelineDescription): Pipeline | null {
  return isUserCode(description) ? null : compile(description, null);
}

function compile(description: PipelineDescription, user: UserCode | null): Pipeline {
  const template = SubjectTemplate.parse(description.subject);
  const idPath: FieldPath[] = description.id.startsWith('/') ? [parsePointer(description.id)] : [];
  const paths = [...idPath, ...template.paths];
  const headerLines = description.headers === null ? new Uint8Array(0) : linesOf(headerBlockBytes(description.headers));
  const envelope = description.framing === 'batch' && description.id === 'time';
  return {
    description,
    splitter: createSplitter(description.format),
    encoder: createEncoder(description.format, paths, { csvHeader: description.csvHeader ?? [] }),
    picker: new MsgpackPicker(paths),
    paths,
    template,
    subjectBytes: template.constant === null ? null : Buffer.from(template.constant),
    idPick: idPath.length === 0 ? -1 : 0,
    subjectPick: idPath.length,
    headerLines,
    headerRoom: HEADER_ROOM_BYTES + headerLines.length + description.id.length + description.source.length,
    envelope,
    user,
  };
}

/** Bytes of the out area that a message of one event takes beyond the event's own, at most: a slab's events fit into one run. Pairs with `Batcher`. */
export function singleRoom({ description, headerLines }: Pipeline, givenIds: boolean): number {
  const { id, source, nonce } = description;
  const idBytes = givenIds || (id !== 'none' && id !== 'offset') ? ID_TEXT_BYTES_MAX : nonce.length + MADE_ID_BYTES;
  return SINGLE_BYTES + headerLines.length + idBytes + (id === 'offset' ? ORIGIN_BYTES + source.length : 0);
}

/** A header block without its status line and its last line break. */
function linesOf(block: Uint8Array): Uint8Array {
  return block.subarray(block.indexOf(10) + 1, block.length - 2);
}

/** Largest payload of a batch, so that with its headers it is within the broker's limit. */
export function batchLimit(messageBytesMax: number, { description, headerRoom }: Pipeline): number {
  return Math.max(1, Math.min(description.batchBytes, messageBytesMax - headerRoom));
}
