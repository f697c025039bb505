/** Subjects that are safe to put on the wire, whatever data they were made from, and templates that make them from fields. */
import { MillraceError } from '../api/errors.ts';
import { parsePointer } from './pointer.ts';
import type { FieldPath } from './record-encoder.ts';
import { scalarText } from './scalar-text.ts';

export const SUBJECT_BYTES_MAX = 1_024;

/** `render`: a field the subject needs is not in the event, or is null. */
export const RENDER_MISSING = -1;
/** `render`: what came out is no subject that may be published to. */
export const RENDER_INVALID = -2;

const DOT = 0x2e;
const DOLLAR = 0x24;
const NIL = 0xc0;

/** Null when `subject` can be published to, else the reason in words. */
export function validateSubject(subject: string): string | null {
  return validateTokens(subject, (token) => (/[*>]/.test(token) ? 'it has a wildcard (* or >), which only filters may have' : null));
}

/** Throws MILLRACE_SUBJECT_INVALID when `subject` cannot be published to. */
export function checkSubject(subject: string): void {
  const fault = validateSubject(subject);
  if (fault !== null)
    throw new MillraceError('MILLRACE_SUBJECT_INVALID', `subject ${JSON.stringify(subject)}: ${fault}`, { context: { subject } });
}

/** As `validateSubject`, for a filter, where `*` may stand for one token and `>` for all that remain. */
export function validateFilter(filter: string): string | null {
  return validateTokens(filter, (token, last) => {
    if (token === '*' || (token === '>' && last)) return null;
    if (token === '>') return 'the wildcard > may only be the last token';
    return /[*>]/.test(token) ? 'a wildcard must be a token of its own' : null;
  });
}

function validateTokens(subject: string, fault: (token: string, last: boolean) => string | null): string | null {
  if (subject === '') return 'it is empty';
  if (/[\0-\x20\x7f]/.test(subject)) return 'it has a space or a control character'; // oxlint-disable-line no-control-regex -- they are what is looked for
  if (/\p{Surrogate}/u.test(subject)) return 'it is not valid Unicode';
  const bytes = Buffer.byteLength(subject);
  if (bytes > SUBJECT_BYTES_MAX) return `it has ${bytes} bytes, and ${SUBJECT_BYTES_MAX} are possible`;
  const tokens = subject.split('.');
  for (const [index, token] of tokens.entries()) {
    if (token === '') return 'it has an empty token (a dot at its begin or end, or two in a row)';
    const why = fault(token, index === tokens.length - 1);
    if (why !== null) return why;
  }
  return null;
}

/** Does `subject` fall under `filter`? Both must be valid. */
export function matches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (const [index, token] of wanted.entries()) {
    if (index >= tokens.length) return false;
    if (token === '>' && index === wanted.length - 1) return true;
    if (token !== '*' && token !== tokens[index]) return false;
  }
  return wanted.length === tokens.length;
}

/** 0 when the UTF-8 text in [start, end) is a subject to publish to, else 1 + the index of the first byte that is wrong. */
export function subjectBytesFault(bytes: Uint8Array, start: number, end: number): number {
  let before = DOT;
  if (end - start > SUBJECT_BYTES_MAX) return SUBJECT_BYTES_MAX + 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte <= 0x20 || byte === 0x7f || byte === 0x2a || byte === 0x3e || (byte === DOT && before === DOT)) return at - start + 1;
    before = byte;
  }
  return before === DOT ? Math.max(1, end - start) : 0;
}

export class SubjectTemplate {
  /** The subject, when it has no fields. */
  readonly constant: string | null;
  readonly paths: FieldPath[];
  /** Text before each field, and after the last. */
  readonly #texts: readonly Uint8Array[];
  readonly #text: string;

  private constructor(text: string, literals: readonly string[], paths: FieldPath[]) {
    this.#text = text;
    this.#texts = literals.map((literal) => new TextEncoder().encode(literal));
    this.paths = paths;
    this.constant = paths.length === 0 ? text : null;
  }

  /** `events.{type}`, `{user.country}` for a nested field, `{/pointer}` for any. Throws MILLRACE_SUBJECT_INVALID. */
  static parse(template: string): SubjectTemplate {
    const parts = template.split(/\{([^{}]*)\}/u); // Text and fields by turns.
    const literals = parts.filter((_, index) => index % 2 === 0);
    const names = parts.filter((_, index) => index % 2 === 1);
    if (literals.some((literal) => /[{}]/.test(literal))) throw invalid(template, 'a brace has no partner');
    const why = validateSubject(literals.join('x'));
    if (why !== null) throw invalid(template, why);
    return new SubjectTemplate(
      template,
      literals,
      names.map((name) => fieldPath(template, name)),
    );
  }

  /** Subjects of a stream made for this template: its first token, alone and with more behind. Empty when that token comes from a field. */
  prefixFilter(): string[] {
    const first = this.#text.split('.', 1)[0]!;
    return first.includes('{') ? [] : [first, `${first}.>`];
  }

  /** The template with each field as `{}`, which may be any token. */
  filter(): string {
    return this.#text.replaceAll(/\{[^{}]*\}/g, '{}');
  }

  /** Writes the subject of an event whose fields were picked, `firstPick` being the first of ours: its end, RENDER_MISSING or RENDER_INVALID. */
  // oxlint-disable-next-line max-params -- hot path: an options object per event would allocate
  render(
    bytes: Uint8Array,
    pickStart: Int32Array,
    pickEnd: Int32Array,
    firstPick: number,
    output: Uint8Array,
    outStart: number,
    outEnd: number,
  ): number {
    const limit = Math.min(outEnd, outStart + SUBJECT_BYTES_MAX);
    let at = append(this.#texts[0]!, output, outStart, limit);
    for (let field = 0; field < this.paths.length && at >= 0; field++) {
      const start = pickStart[firstPick + field]!;
      if (start < 0 || bytes[start] === NIL) return RENDER_MISSING;
      at = scalarText(bytes, start, pickEnd[firstPick + field]!, output, at, limit);
      if (at >= 0) at = append(this.#texts[field + 1]!, output, at, limit);
    }
    if (at < 0 || subjectBytesFault(output, outStart, at) !== 0) return RENDER_INVALID;
    // Data must not reach the broker's own subjects ($SYS, $JS): only a template that says so itself may.
    if (this.#texts[0]!.length === 0 && output[outStart] === DOLLAR) return RENDER_INVALID;
    return at;
  }
}

function append(text: Uint8Array, output: Uint8Array, at: number, limit: number): number {
  if (at + text.length > limit) return -1;
  for (let i = 0; i < text.length; i++) output[at + i] = text[i]!;
  return at + text.length;
}

function fieldPath(template: string, name: string): FieldPath {
  if (name.startsWith('/')) {
    try {
      return parsePointer(name);
    } catch (error) {
      throw new MillraceError('MILLRACE_SUBJECT_INVALID', `subject ${JSON.stringify(template)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  const path = name.split('.');
  if (path.includes('')) throw invalid(template, `{${name}} names no field; write {type}, {user.country} or {/json/pointer}`);
  return path;
}

function invalid(template: string, why: string): MillraceError {
  return new MillraceError('MILLRACE_SUBJECT_INVALID', `subject ${JSON.stringify(template)}: ${why}`);
}
