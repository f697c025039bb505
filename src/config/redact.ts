/** No secret of a URL or an option reaches an output: what is printed goes through here first. */

export const REDACTED = '***';

/**
 * Hides user, password and token of every URL in a text, also of one that is not well formed: all between `://` and the
 * last `@` of the word goes, because a password may hold any character that was meant to be escaped.
 */
export function redactUrl(text: string): string {
  return text
    .replaceAll(/([a-z][\w+.-]*:\/\/)[^\s"']*@/gi, `$1${REDACTED}@`)
    .replaceAll(/([?&](?:password|token|nkey)=)[^&\s"']*/gi, `$1${REDACTED}`);
}

const SHOWN_CHARS_MAX = 120;

/** A value as a message shows it: quoted, bounded, without secrets. */
export function showValue(raw: unknown, secret: boolean): string {
  if (secret) return REDACTED;
  const text = redactUrl(typeof raw === 'string' ? JSON.stringify(raw) : printRaw(raw));
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

function printRaw(raw: unknown): string {
  if (typeof raw === 'object' && raw !== null) return Array.isArray(raw) ? `a list of ${raw.length}` : 'an object';
  return typeof raw === 'function' ? 'a function' : String(raw);
}
