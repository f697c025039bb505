/** What a broker message holds, whoever wrote it: one event, a batch, or a batch with ids and headers; or MILLRACE_DECODE, and nothing else. */
import { isUtf8 } from 'node:buffer';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { Headers } from '../api/event.ts';
import { parseExactJson } from './exact-json.ts';
import { isPacked, unpackValue } from './msgpack.ts';

export interface EnvelopeItem {
  readonly id: string | null;
  readonly headers: Headers | null;
  readonly event: unknown;
}

export type DecodedMessage =
  | { readonly form: 'single'; readonly event: unknown }
  | { readonly form: 'batch'; readonly events: readonly unknown[] }
  | { readonly form: 'envelope'; readonly items: readonly EnvelopeItem[] };

type Kind = 'msgpack' | 'json' | 'text' | 'bytes' | 'unknown';

const COUNT = /^\d{1,9}$/;

/** `header` gives a header of the message by name. */
export function decodePayload(payload: Uint8Array, header: (name: string) => string | undefined): DecodedMessage {
  const contentType = header('Content-Type');
  const kind = kindOf(contentType);
  if (kind === 'msgpack') return decodePacked(payload, contentType ?? '', header('Millrace-Count'));
  const bytes = payload.buffer instanceof ArrayBuffer ? payload : new Uint8Array(payload); // Text is not read from shared memory.
  return { form: 'single', event: decodeSingle(bytes, kind) };
}

let lastType: string | undefined;
let lastKind: Kind = 'unknown';

/** Messages of one stream mostly are of one type. */
function kindOf(contentType: string | undefined): Kind {
  if (contentType !== lastType) {
    lastKind = kindOfType(contentType);
    lastType = contentType;
  }
  return lastKind;
}

function kindOfType(contentType: string | undefined): Kind {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === '') return 'unknown';
  if (/^application\/(?:x-|vnd\.)?msgpack$/.test(type) || type.endsWith('+msgpack')) return 'msgpack';
  if (type === 'application/json' || type === 'text/json' || type.endsWith('+json')) return 'json';
  return type.startsWith('text/') ? 'text' : 'bytes';
}

function decodePacked(bytes: Uint8Array, contentType: string, count: string | undefined): DecodedMessage {
  const value = unpackValue(bytes);
  const envelope = /;\s*form\s*=\s*"?envelope"?\s*(?:;|$)/i.test(contentType);
  if (count === undefined && !envelope) return { form: 'single', event: value };
  if (!Array.isArray(value)) throw undecodable('a batch must be an array');
  if (count !== undefined && (!COUNT.test(count) || Number(count) !== value.length)) {
    throw undecodable(`Millrace-Count says ${JSON.stringify(count.slice(0, 20))}, and ${value.length} events are there`);
  }
  return envelope ? { form: 'envelope', items: value.map(envelopeItem) } : { form: 'batch', events: value };
}

function envelopeItem(element: unknown, index: number): EnvelopeItem {
  if (!Array.isArray(element) || element.length !== 3) throw undecodable(`element ${index} of the envelope is not [id, headers, event]`);
  const [id, headers, event] = element as [unknown, unknown, unknown];
  if (id !== null && typeof id !== 'string') throw undecodable(`element ${index} of the envelope: its id is no string`);
  if (headers !== null && !isHeaders(headers)) throw undecodable(`element ${index} of the envelope: its headers are no map of strings`);
  return { id, headers, event };
}

function isHeaders(value: unknown): value is Headers {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((member) => typeof member === 'string');
}

function decodeSingle(bytes: Uint8Array, kind: Kind): unknown {
  if (kind === 'bytes') return new Uint8Array(bytes); // A copy: the payload is valid during the call only.
  if (!isUtf8(bytes)) {
    if (kind === 'json') throw undecodable('the content type says JSON, and it is not UTF-8');
    return kind === 'unknown' && isPacked(bytes) ? unpackValue(bytes) : new Uint8Array(bytes);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (kind === 'text') return text;
  try {
    return parseExactJson(kind === 'json' ? text.replace(/^\ufeff/, '') : text);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    if (kind === 'json') throw undecodable(`the content type says JSON, and it is not: ${messageOf(error)}`);
  }
  // Without a content type: msgpack only when its first byte is above ASCII, so that text stays text.
  return bytes.length > 0 && bytes[0]! >= 0x80 && isPacked(bytes) ? unpackValue(bytes) : text;
}

function undecodable(why: string): MillraceError {
  return new MillraceError('MILLRACE_DECODE', why);
}
