/** Percent escapes of a URL's parts, where a broken one is a fault and not an exception. */
import type { Faults } from './faults.ts';

/** A `+` stays a plus, as in every part of a URL but a form's. */
export function decode(text: string, from: string, faults: Faults): string {
  try {
    return decodeURIComponent(text);
  } catch {
    faults.add(from, 'a % is not followed by two hex digits of valid UTF-8', 'write a percent sign as %25');
    return text;
  }
}
