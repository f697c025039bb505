/** A broker message taken apart into its events, on either thread: each with its id and headers where the message tells, read when asked for. */
import { decodePayload } from '../src/codec/decode.ts';
import type { EnvelopeItem } from '../src/codec/decode.ts';
import { findHeader } from '../src/codec/header-block.ts';
import { unpackValue } from '../src/codec/msgpack.ts';
import { skipValue } from '../src/codec/msgpack-scan.ts';
import { MillraceError } from '../src/api/errors.ts';
import type { Headers } from '../src/api/event.ts';

/** What bytes hold: a whole message, or one element of a batch that is tried again. */
export const ElementForm = { message: 0, plain: 1, envelope: 2 } as const;
export type ElementForm = (typeof ElementForm)[keyof typeof ElementForm];

/** Headers that speak of a whole batch and say nothing of one event in it. */
const BATCH_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'millrace-count',
  'millrace-batch',
  'millrace-id',
  'millrace-source',
  'nats-msg-id',
]);

export class EventsOfMessage {
  /** How its elements are kept when one of them is tried again. */
  readonly form: ElementForm;
  /** Index of the first event here, and of the first that is not. */
  readonly first: number;
  readonly end: number;
  readonly #items: readonly unknown[];
  readonly #headers: Headers;
  #idPath: readonly string[] | null | undefined;

  private constructor(
    form: ElementForm,
    items: readonly unknown[],
    { headers, first }: { readonly headers: Headers; readonly first: number },
  ) {
    this.form = form;
    this.#items = items;
    this.#headers = headers;
    this.first = first;
    this.end = first + items.length;
  }

  /** Throws MILLRACE_DECODE for bytes that are not what the headers claim. */
  static decode(payload: Uint8Array, headers: Headers): EventsOfMessage {
    headersAtWork = headers;
    const decoded = decodePayload(payload, headerAtWork);
    if (decoded.form === 'envelope') return new EventsOfMessage(ElementForm.envelope, decoded.items, { headers, first: 0 });
    if (decoded.form === 'batch') return new EventsOfMessage(ElementForm.plain, decoded.events, { headers, first: 0 });
    return new EventsOfMessage(ElementForm.message, [decoded.event], { headers, first: 0 });
  }

  /** One element that was kept by `elementBytes`. */
  static ofElement(
    raw: Uint8Array,
    kept: { readonly form: ElementForm; readonly headers: Headers; readonly index: number },
  ): EventsOfMessage {
    const { form, headers, index } = kept;
    if (form === ElementForm.message) return EventsOfMessage.decode(raw, headers);
    const value = unpackValue(raw);
    if (form === ElementForm.plain) return new EventsOfMessage(form, [value], { headers, first: index });
    const [id, own, event] = value as [string | null, Headers | null, unknown];
    const item: EnvelopeItem = { id, headers: own, event };
    return new EventsOfMessage(form, [item], { headers, first: index });
  }

  eventAt(index: number): unknown {
    const item = this.#items[index - this.first];
    return this.form === ElementForm.envelope ? (item as EnvelopeItem).event : item;
  }

  headersAt(index: number): Headers {
    if (this.form !== ElementForm.envelope) return this.#headers;
    const own = (this.#items[index - this.first] as EnvelopeItem).headers;
    return own === null ? this.#headers : { ...this.#headers, ...own };
  }

  idAt(index: number): string | null {
    const item = this.#items[index - this.first];
    if (this.form === ElementForm.envelope) return (item as EnvelopeItem).id;
    if (this.form === ElementForm.message) return findHeader(this.#headers, 'Nats-Msg-Id') ?? null;
    this.#idPath ??= pathOf(findHeader(this.#headers, 'Millrace-Id'));
    return this.#idPath === null ? null : valueAt(item, this.#idPath);
  }
}

let headersAtWork: Headers = {};

/** One function for all messages, not one for each. Headers of our own are spelt one way; others are found in any case. */
function headerAtWork(name: string): string | undefined {
  return headersAtWork[name] ?? (name === 'Content-Type' ? findHeader(headersAtWork, name) : undefined);
}

/** A private copy of element `index` of a message (the message itself where it is one event). */
export function elementBytes(payload: Uint8Array, form: ElementForm, index: number): Uint8Array {
  if (form === ElementForm.message) return new Uint8Array(payload); // The slice of a Buffer would be a view.
  let at = arrayHeadBytes(payload[0]!);
  for (let skipped = 0; skipped < index && at >= 0; skipped += 1) at = skipValue(payload, at, payload.length);
  const end = at < 0 ? -1 : skipValue(payload, at, payload.length);
  if (end < 0) throw new MillraceError('MILLRACE_INTERNAL', `element ${index} is not in its message`); // It was decoded before.
  return new Uint8Array(payload.subarray(at, end));
}

/** The event's own bytes in what `elementBytes` kept. */
export function eventBytes(raw: Uint8Array, form: ElementForm): Uint8Array {
  if (form !== ElementForm.envelope) return raw;
  const id = skipValue(raw, arrayHeadBytes(raw[0]!), raw.length);
  const headers = skipValue(raw, id, raw.length);
  return raw.subarray(headers);
}

/** Headers that stay with one event when it leaves its batch, its id among them. */
export function headersAlone(headers: Headers, form: ElementForm, id: string | null): Headers {
  if (form === ElementForm.message) return headers;
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (!BATCH_HEADERS.has(name.toLowerCase())) own[name] = value;
  return id === null ? own : { ...own, 'Nats-Msg-Id': id };
}

function arrayHeadBytes(first: number): number {
  if (first === 0xdd) return 5;
  return first === 0xdc ? 3 : 1;
}

function pathOf(rule: string | undefined): readonly string[] | null {
  if (rule?.startsWith('/') !== true) return null;
  return rule
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(event: unknown, path: readonly string[]): string | null {
  let value = event;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return null;
    value = (value as Record<string, unknown>)[part];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : null;
}
