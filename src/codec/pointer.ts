/** Reads JSON pointers (RFC 6901). */
import { MillraceError } from '../api/errors.ts';
import type { FieldPath } from './record-encoder.ts';

/** '' is the whole event; `/a/b` its member b of a; `~1` stands for `/` and `~0` for `~`. */
export function parsePointer(text: string): FieldPath {
  if (text === '') return [];
  if (!text.startsWith('/')) throw invalid(text, 'it must begin with "/"');
  if (/~(?![01])/.test(text)) throw invalid(text, '"~" must be written ~0, and "/" inside a name ~1');
  if (/\p{Surrogate}/u.test(text)) throw invalid(text, 'it is not valid Unicode');
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function invalid(text: string, why: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG', `${JSON.stringify(text)} is no JSON pointer: ${why}`);
}
