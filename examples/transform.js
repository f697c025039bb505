// A transform for `millrace ingest … --transform examples/transform.js`. It runs in the worker threads, once per event.
// Return the event (changed or not), several events, or undefined to drop it. Throwing makes the event a dead letter.
export default function transform(event, context) {
  if (event.type === 'heartbeat') return undefined; // Filter.
  if (Array.isArray(event.items)) return event.items.map((item) => ({ ...item, order: event.id })); // Split.
  return { ...event, source: context.file, seen: 1 }; // Change.
}
