/** Tells the engine what became of the messages of a group: one outcome for each, in the order they were taken. */
import type { MillraceError } from '../../api/errors.ts';
import type { PublishListener } from '../broker.ts';
import type { Group } from './group.ts';

export function acked(listener: PublishListener, group: Group): void {
  for (let index = 0; index < group.count; index++) listener.acked(group.tokens[index]!, group.base + index, false);
}

export function failed(listener: PublishListener, group: Group, error: MillraceError): void {
  for (let index = 0; index < group.count; index++) listener.failed(group.tokens[index]!, error);
}

export function unknown(listener: PublishListener, group: Group, error: MillraceError): void {
  for (let index = 0; index < group.count; index++) listener.unknown(group.tokens[index]!, error);
}
