/** A module that a flag names, as the workers load it: checked here, so that a wrong path is one clear error before anything starts. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../api/errors.ts';
import type { ModuleReference } from '../api/event.ts';

/** `FILE`, or `FILE#name` for an export other than the default; '' = none. */
export function moduleOf(flag: string, text: string): ModuleReference | undefined {
  if (text === '') return undefined;
  const hash = text.lastIndexOf('#');
  const whole = isFile(text) || hash === -1;
  const path = whole ? text : text.slice(0, hash);
  if (!isFile(path))
    throw new MillraceError('MILLRACE_CONFIG', `flag --${flag}: "${path}" is no file; expected the path of a JavaScript module`);
  const module = pathToFileURL(resolve(path));
  return whole ? { module } : { module, export: text.slice(hash + 1) };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
