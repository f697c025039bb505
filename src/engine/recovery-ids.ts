/** Puts the ids of stored messages into the dedupe window, whatever way they travel: no objects, and nothing but an unreadable payload is passed over. */
import { bodyHash } from '../../workers/body-hash.ts';
import { hash128, hashHex } from '../codec/hash.ts';
import { MsgpackPicker, skipValue } from '../codec/msgpack-scan.ts';
import { bodyBytes, childCount, headEnd, isArray, isString } from '../codec/msgpack-tokens.ts';
import { parsePointer } from '../codec/pointer.ts';
import { scalarText } from '../codec/scalar-text.ts';
import { ID_TEXT_BYTES_MAX } from '../memory/layout.ts';
import type { DedupeWindow } from '../memory/window.ts';
import type { InboundMessage } from '../processors/broker.ts';

const ZERO_KEY = new Uint32Array(4); // As in workers/identify.ts: ids are unkeyed.
const HASH_BYTES = 32;
const POINTERS_MAX = 64; // Compiled ones that are kept.

/** Where an element's id is: nothing found when `end` is below 0. */
interface IdText {
  bytes: Uint8Array;
  start: number;
  end: number;
}

export class IdRecoverer {
  ids = 0;
  readonly #window: DedupeWindow;
  readonly #pickers: Map<string, MsgpackPicker> = new Map();
  readonly #text: Uint8Array = new Uint8Array(ID_TEXT_BYTES_MAX);
  readonly #print: Uint32Array = new Uint32Array(4);
  readonly #found: IdText = { bytes: this.#text, start: 0, end: -1 };

  constructor(window: DedupeWindow) {
    this.#window = window;
  }

  take(message: InboundMessage): void {
    const { payload } = message;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#window.rotate(Date.now());
    if (message.header('Millrace-Batch') === undefined) {
      const id = message.header('Nats-Msg-Id');
      if (id !== undefined) this.#insertText(Buffer.from(id), view, 0, payload.length);
      return;
    }
    const envelope = message.header('Content-Type')?.includes('form=envelope') === true;
    const rule = message.header('Millrace-Id');
    if (!envelope && rule === undefined) return; // Ids by position, or none.
    this.#takeElements(payload, view, envelope ? 'envelope' : rule!);
  }

  #takeElements(payload: Uint8Array, view: DataView, rule: string): void {
    if (payload.length === 0 || !isArray(payload[0]!)) return;
    let at = headEnd(payload, 0, payload.length);
    if (at < 0) return;
    for (let left = childCount(payload, 0); left > 0; left -= 1) {
      const end = skipValue(payload, at, payload.length);
      if (end < 0) return;
      const event = this.#find(payload, at, end, rule);
      if (this.#found.end > 0) this.#insert(this.#found, view, event, end);
      at = end;
    }
  }

  /** Finds the id of the element in [start, end); returns where its event begins. */
  #find(payload: Uint8Array, start: number, end: number, rule: string): number {
    const found = this.#found;
    found.end = -1;
    if (rule === 'envelope') return this.#fromEnvelope(payload, start, end);
    found.bytes = this.#text;
    found.start = 0;
    if (rule === 'hash') {
      hash128(payload, start, end, ZERO_KEY, this.#print);
      hashHex(this.#print, this.#text, 0);
      found.end = HASH_BYTES;
      return start;
    }
    const picker = this.#picker(rule);
    if (picker === null) return start;
    picker.pick(payload, start, end);
    const at = picker.pickStart[0]!;
    if (at >= 0) found.end = scalarText(payload, at, picker.pickEnd[0]!, this.#text, 0, ID_TEXT_BYTES_MAX);
    return start;
  }

  /** `[id | nil, headers | nil, event]` */
  #fromEnvelope(payload: Uint8Array, start: number, end: number): number {
    if (!isArray(payload[start]!) || childCount(payload, start) !== 3) return start;
    const id = headEnd(payload, start, end);
    const headers = skipValue(payload, id, end);
    const event = headers < 0 ? -1 : skipValue(payload, headers, end);
    if (event < 0) return start;
    if (!isString(payload[id]!)) return event;
    this.#found.bytes = payload;
    this.#found.start = headers - bodyBytes(payload, id);
    this.#found.end = headers;
    return event;
  }

  /** Null = not a pointer that we can read. */
  #picker(pointer: string): MsgpackPicker | null {
    const known = this.#pickers.get(pointer);
    if (known !== undefined) return known;
    if (!pointer.startsWith('/') || this.#pickers.size === POINTERS_MAX) return null;
    const picker = new MsgpackPicker([parsePointer(pointer)]);
    this.#pickers.set(pointer, picker);
    return picker;
  }

  #insertText(bytes: Uint8Array, view: DataView, eventStart: number, eventEnd: number): void {
    this.#insert({ bytes, start: 0, end: bytes.length }, view, eventStart, eventEnd);
  }

  // oxlint-disable-next-line max-params -- hot path: an object per id would allocate
  #insert({ bytes, start, end }: IdText, view: DataView, eventStart: number, eventEnd: number): void {
    if (end <= start || end - start > ID_TEXT_BYTES_MAX) return;
    hash128(bytes, start, end, this.#window.key, this.#print);
    const body = bodyHash(view, eventStart, eventEnd);
    this.ids += 1;
    if (this.#window.insert(this.#print, body)) return;
    this.#window.rotate(Date.now()); // Full: the oldest go.
    this.#window.insert(this.#print, body);
  }
}
