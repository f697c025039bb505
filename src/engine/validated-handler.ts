/** A handler behind a schema: an event that does not match is a dead letter at once, for no retry can mend it. */
import { EventDelivery } from './delivery.ts';
import { MillraceError } from '../api/errors.ts';
import type { Delivery, Handler } from '../api/event.ts';
import type { StandardResult, StandardSchema } from '../api/standard-schema.ts';

export function validated(handler: Handler, schema: StandardSchema | undefined): (delivery: Delivery) => Promise<void> | void {
  if (schema === undefined) return (delivery) => handler(delivery.event, delivery);
  return (delivery) => {
    const result = schema['~standard'].validate(delivery.event);
    if (result instanceof Promise) return result.then((late) => handValid(handler, delivery, late));
    return handValid(handler, delivery, result);
  };
}

function handValid(handler: Handler, delivery: Delivery, result: StandardResult<unknown>): Promise<void> | void {
  if (result.issues === undefined) return handler(result.value, delivery);
  const faults = result.issues.slice(0, 3).map(({ path, message }) => `${pathText(path)}${message}`);
  EventDelivery.refuse(delivery as EventDelivery, new MillraceError('MILLRACE_VALIDATION', faults.join('; ')));
  return undefined;
}

function pathText(path: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined): string {
  if (path === undefined || path.length === 0) return '';
  return `/${path.map((part) => String(typeof part === 'object' ? part.key : part)).join('/')}: `;
}
