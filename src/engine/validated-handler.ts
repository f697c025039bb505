/** A handler behind a schema: an event that does not match is a dead letter at once, for no retry can mend it. */
import type { Delivery, Handler } from '../api/event.ts';
import type { StandardSchema } from '../api/standard-schema.ts';

export function validated(handler: Handler, schema: StandardSchema | undefined): (delivery: Delivery) => Promise<void> | void {
  if (schema === undefined) return (delivery) => handler(delivery.event, delivery);
  return async (delivery) => {
    const result = await schema['~standard'].validate(delivery.event);
    if (result.issues === undefined) return handler(result.value, delivery);
    delivery.term(result.issues.slice(0, 3).map(({ message }) => message).join('; '));
    return undefined;
  };
}
