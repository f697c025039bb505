/** Every error code with its text, whether a retry can help, and advice; docs/errors.md is made from this table. */

export interface ErrorCodeRow {
  /** What happened, in one plain sentence. */
  readonly text: string;
  /** True when the same call can succeed later without any change. */
  readonly retryable: boolean;
  /** What to do about it. */
  readonly advice: string;
}

export type ErrorCode =
  | 'MILLRACE_CONFIG'
  | 'MILLRACE_USAGE'
  | 'MILLRACE_NOT_SUPPORTED'
  | 'MILLRACE_MISSING_PACKAGE'
  | 'MILLRACE_CONNECT'
  | 'MILLRACE_CONNECTION_LOST'
  | 'MILLRACE_AUTH'
  | 'MILLRACE_TLS'
  | 'MILLRACE_STREAM_MISSING'
  | 'MILLRACE_STREAM_MISMATCH'
  | 'MILLRACE_SUBJECT_NOT_IN_STREAM'
  | 'MILLRACE_SUBJECT_INVALID'
  | 'MILLRACE_HEADER_INVALID'
  | 'MILLRACE_EVENT_TOO_LARGE'
  | 'MILLRACE_EVENT_INVALID'
  | 'MILLRACE_FULL'
  | 'MILLRACE_BROKER_FULL'
  | 'MILLRACE_BROKER_BUSY'
  | 'MILLRACE_BROKER'
  | 'MILLRACE_PUBLISH_TIMEOUT'
  | 'MILLRACE_PUBLISH_UNKNOWN'
  | 'MILLRACE_RETRY_BUDGET'
  | 'MILLRACE_SOURCE'
  | 'MILLRACE_SOURCE_CHANGED'
  | 'MILLRACE_RECORD_INVALID'
  | 'MILLRACE_RECORD_TOO_LONG'
  | 'MILLRACE_TRANSFORM'
  | 'MILLRACE_WORKER_CRASHED'
  | 'MILLRACE_VALIDATION'
  | 'MILLRACE_CHECKPOINT'
  | 'MILLRACE_DEAD_LETTERS'
  | 'MILLRACE_STORE'
  | 'MILLRACE_DECODE'
  | 'MILLRACE_ABORTED'
  | 'MILLRACE_DRAIN_TIMEOUT'
  | 'MILLRACE_CLOSED'
  | 'MILLRACE_INTERNAL';

const row = (text: string, retryable: boolean, advice: string): ErrorCodeRow => ({ text, retryable, advice });

export const errorTable: Readonly<Record<ErrorCode, ErrorCodeRow>> = {
  MILLRACE_CONFIG: row('The configuration has faults; the message lists every one.', false, 'Correct the values named.'),
  MILLRACE_USAGE: row('A call or command was made in a way it cannot work.', false, 'See the message and the reference of the call.'),
  MILLRACE_NOT_SUPPORTED: row('This processor cannot do what was asked.', false, 'Use a processor the message names.'),
  MILLRACE_MISSING_PACKAGE: row('An optional package is not installed.', false, 'Install the package the message names.'),
  MILLRACE_CONNECT: row('The broker could not be reached.', true, 'Check address, port and that the server runs.'),
  MILLRACE_CONNECTION_LOST: row(
    'The connection to the broker was lost and is not being restored.',
    true,
    'Check the broker; raise reconnectTimeout.',
  ),
  MILLRACE_AUTH: row(
    'The broker refused the credentials or the permission.',
    false,
    'Check user, password, token, key or credentials file, and the permissions.',
  ),
  MILLRACE_TLS: row('The secure connection could not be made.', false, 'Check ca, cert, key and the host name.'),
  MILLRACE_STREAM_MISSING: row(
    'The stream, topic or store does not exist and may not be created.',
    false,
    'Create it, or allow createStream.',
  ),
  MILLRACE_STREAM_MISMATCH: row('The stream exists with settings other than asked for.', false, 'Change the option or the stream.'),
  MILLRACE_SUBJECT_NOT_IN_STREAM: row(
    'The stream does not take this subject.',
    false,
    'Name the subject in the option subjects, or add it to the stream.',
  ),
  MILLRACE_SUBJECT_INVALID: row(
    'The subject is not one that can be published to.',
    false,
    'No spaces, control characters, wildcards or empty tokens.',
  ),
  MILLRACE_HEADER_INVALID: row('A header name or value cannot be sent.', false, 'No line breaks; names are tokens.'),
  MILLRACE_EVENT_TOO_LARGE: row('One event is larger than the limit.', false, 'Raise maxEventBytes, or the broker’s max_payload.'),
  MILLRACE_EVENT_INVALID: row('The event cannot be encoded.', false, 'See the message for the value and its place.'),
  MILLRACE_FULL: row('No room is left and the policy is not to wait.', true, 'Wait and try again, or use onFull: block.'),
  MILLRACE_BROKER_FULL: row('The broker has no room for more.', true, 'Raise the limits of the stream, or remove old messages.'),
  MILLRACE_BROKER_BUSY: row('The broker asks to slow down.', true, 'Nothing: it is retried with a smaller window.'),
  MILLRACE_BROKER: row('The broker refused the message.', false, 'See the message for its reason.'),
  MILLRACE_PUBLISH_TIMEOUT: row(
    'The broker’s answer did not arrive in time; it may have stored the message.',
    true,
    'Publish again with the same id.',
  ),
  MILLRACE_PUBLISH_UNKNOWN: row(
    'The connection ended before the answer; the broker may have stored the message.',
    true,
    'Publish again with the same id.',
  ),
  MILLRACE_RETRY_BUDGET: row('All attempts were used up.', false, 'See the cause; raise the retry options.'),
  MILLRACE_SOURCE: row('A source could not be read.', false, 'Check the path and its permissions.'),
  MILLRACE_SOURCE_CHANGED: row('A source changed while it was read.', false, 'Ingest files that are no longer written to.'),
  MILLRACE_RECORD_INVALID: row(
    'A record of the input is not valid in its format.',
    false,
    'The reject names file, line, byte offset and reason.',
  ),
  MILLRACE_RECORD_TOO_LONG: row('A record is longer than maxEventBytes.', false, 'Raise maxEventBytes.'),
  MILLRACE_TRANSFORM: row('The transform or handler failed on an event.', false, 'See the cause; correct the module.'),
  MILLRACE_WORKER_CRASHED: row(
    'A worker thread ended while it handled this event.',
    false,
    'See the cause; the event is a suspect, correct the module that ran on it.',
  ),
  MILLRACE_VALIDATION: row('The event does not match the schema.', false, 'The message names the path and what was expected.'),
  MILLRACE_CHECKPOINT: row('The checkpoint cannot be used.', false, 'See the message; another process may hold it.'),
  MILLRACE_DEAD_LETTERS: row(
    'The dead letter store cannot be written or read.',
    false,
    'Check its path, its permissions and the space left.',
  ),
  MILLRACE_STORE: row('The embedded store cannot be used.', false, 'Check its path, version, permissions and the space left.'),
  MILLRACE_DECODE: row('Bytes read from the broker are not what their content type says.', false, 'See the dead letter for the raw bytes.'),
  MILLRACE_ABORTED: row('The call was aborted by its signal.', false, 'Nothing: it was asked for.'),
  MILLRACE_DRAIN_TIMEOUT: row(
    'The deadline passed before all was settled.',
    true,
    'Raise the drain timeout; the count of what was open is in the message.',
  ),
  MILLRACE_CLOSED: row('The processor is closed.', false, 'Open a new one.'),
  MILLRACE_INTERNAL: row('A defect of Millrace.', false, 'Please report it with the message and the stack.'),
};
