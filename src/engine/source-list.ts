/** One source or several: an array of objects is one source, an array of paths and streams is a list of them. */
import type { Source } from '../api/options.ts';

export function sourcesOf(source: Source | readonly Source[]): readonly Source[] {
  return Array.isArray(source) && source.length > 0 && source.every((item) => isSource(item))
    ? (source as readonly Source[])
    : [source as Source];
}

function isSource(item: unknown): boolean {
  if (typeof item === 'string' || item instanceof URL) return true;
  return typeof item === 'object' && item !== null && (Symbol.asyncIterator in item || 'getReader' in item || 'pipe' in item);
}
