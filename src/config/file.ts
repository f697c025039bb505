/** Reads a config file: one JSON object whose keys are option names. Anything else is one clear error. */
import { readFileSync } from 'node:fs';
import { MillraceError, messageOf } from '../api/errors.ts';

export interface ConfigFile {
  readonly path: string;
  readonly values: ReadonlyMap<string, unknown>;
}

export function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MillraceError('MILLRACE_CONFIG', `config file "${path}" cannot be read: ${messageOf(error)}`, { cause: error });
  }
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new MillraceError('MILLRACE_CONFIG', `config file "${path}" is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new MillraceError(
      'MILLRACE_CONFIG',
      `config file "${path}" holds no JSON object; expected option names and values, such as {"to": "embedded:.millrace", "workers": 2}`,
    );
  // A Map: keys such as __proto__ stay plain names, and are faults like any other unknown one.
  return { path, values: new Map(Object.entries(content)) };
}
