/** Loads the user's handler, or says what the module exports instead. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../src/api/errors.ts';
import type { Handler, ModuleReference } from '../src/api/event.ts';

/** Loads a handler where it will run, so that a module that cannot be loaded fails the call and not its events. */
export async function loadHandler({ module, export: name = 'default' }: ModuleReference): Promise<Handler> {
  const url = module instanceof URL ? module.href : isAbsolute(module) ? pathToFileURL(module).href : module;
  const loaded = (await import(url)) as Record<string, unknown>;
  const value = loaded[name] ?? (name === 'default' ? loaded['handler'] : undefined);
  if (typeof value === 'function') return value as Handler;
  throw new MillraceError(
    'MILLRACE_USAGE',
    `${url} exports no handler named ${name}; it exports ${Object.keys(loaded).join(', ') || 'nothing'}`,
  );
}
