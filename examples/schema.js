// A check for `millrace ingest … --schema examples/schema.js`. A Standard Schema (zod, valibot, arktype …) works the same way.
// Return a text to say what is wrong: the event becomes a dead letter with it. Return nothing when the event is fine.
export default function check(event) {
  if (typeof event.id !== 'string') return '/id: expected a string';
  if (typeof event.ms === 'number' && event.ms < 0) return `/ms: expected 0 or more, got ${event.ms}`;
  return undefined;
}
