/** Loads and calls the user's transform and schema; whatever they throw becomes the reject of that one event. */
import { pathToFileURL } from 'node:url';
import { isAbsolute } from 'node:path';
import { MillraceError } from '../src/api/errors.ts';
import type { ModuleReference, Transform, TransformContext } from '../src/api/event.ts';
import type { StandardSchema } from '../src/api/standard-schema.ts';
import type { PipelineDescription } from '../src/memory/pipeline.ts';

/** Validates one event: null = fine (`value` is what goes on), else the fault in words. */
type Validate = (event: unknown) => { readonly value: unknown } | { readonly fault: string };

export interface UserCode {
  readonly transform: Transform | null;
  readonly validate: Validate | null;
}

export function isUserCode({ transform, schema }: PipelineDescription): boolean {
  return transform !== null || schema !== null;
}

export async function loadUserCode({ transform, schema }: PipelineDescription): Promise<UserCode> {
  return {
    transform: transform === null ? null : ((await load(transform, 'transform')) as Transform),
    validate: schema === null ? null : validatorOf(await load(schema, 'schema')),
  };
}

/** One value or an array of them; `undefined` and an empty array drop the event. Promises are refused: stages are synchronous. */
export function applyTransform(transform: Transform, event: unknown, context: TransformContext): readonly unknown[] {
  const result = transform(event, context);
  if (result === undefined) return [];
  if (isPromise(result)) throw new TypeError('the transform returned a promise; it must be synchronous');
  return Array.isArray(result) ? result : [result];
}

async function load({ module, export: name = 'default' }: ModuleReference, what: string): Promise<unknown> {
  const url = module instanceof URL ? module.href : isAbsolute(module) ? pathToFileURL(module).href : module;
  const loaded = (await import(url)) as Record<string, unknown>;
  const value = loaded[name] ?? (name === 'default' ? loaded[what] : undefined);
  if (typeof value === 'function' || (what === 'schema' && typeof value === 'object' && value !== null)) return value;
  if (value !== undefined) throw new MillraceError('MILLRACE_USAGE', `${name} of ${url} is no function`);
  const names = Object.keys(loaded).join(', ') || 'nothing';
  throw new MillraceError('MILLRACE_USAGE', `${url} exports no ${what} named ${name}; it exports ${names}`);
}

/** A Standard Schema, or a function that throws, or returns false or a text, for an event that does not fit. */
function validatorOf(schema: unknown): Validate {
  const standard = (schema as Partial<StandardSchema>)['~standard'];
  if (standard !== undefined) {
    return (event) => {
      const result = standard.validate(event);
      if (isPromise(result)) throw new TypeError('the schema validates asynchronously; use a synchronous one');
      if (result.issues === undefined) return { value: result.value };
      const issues = result.issues.slice(0, 3).map(({ path, message }) => `${pathText(path)}: ${message}`);
      return { fault: issues.join('; ') };
    };
  }
  if (typeof schema !== 'function') throw new MillraceError('MILLRACE_USAGE', 'the schema is neither a Standard Schema nor a function');
  return (event) => {
    const result: unknown = (schema as (event: unknown) => unknown)(event);
    if (result === false) return { fault: 'the schema function returned false' };
    return typeof result === 'string' ? { fault: result } : { value: event };
  };
}

function pathText(path: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined): string {
  return `/${(path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('/')}`;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}
