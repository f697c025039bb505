/** The sequence of a channel's newest message, learned by asking for it: the protocol has no question for that. */
import { MillraceError } from '../../api/errors.ts';
import type { StanSession } from './session.ts';
import { within } from './session.ts';
import { faultText } from './stan-library.ts';

/** An empty channel says nothing: after so long it is taken for empty. */
const SILENCE_MS = 1_000;
const CLOSE_MS_MAX = 2_000;
const ANSWER_MS_MAX = 5_000;

export async function lastSequenceOf(session: StanSession, channel: string): Promise<number> {
  const options = session.client.subscriptionOptions().setManualAckMode(true).setMaxInFlight(1).setStartWithLastReceived();
  const subscription = session.client.subscribe(channel, options);
  let sequence = 0;
  const read = new Promise<true>((resolve) => {
    subscription.on('message', (message) => {
      sequence = message.getSequence();
      message.ack();
      resolve(true);
    });
  });
  const fault = await new Promise<string | null>((resolve) => {
    subscription.on('ready', () => resolve(null));
    subscription.on('error', (said) => resolve(faultText(said)));
    subscription.on('timeout', (said) => resolve(faultText(said)));
    // At the end of the session the library settles nothing.
    setTimeout(() => resolve('no answer in time'), ANSWER_MS_MAX).unref();
  });
  if (fault !== null)
    throw new MillraceError('MILLRACE_BROKER', `cannot look at channel ${channel}: ${fault}`, {
      retryable: true,
      context: { processor: 'streaming', subject: channel },
    });
  await within(SILENCE_MS, (resolve) => void read.then(resolve));
  await within(CLOSE_MS_MAX, (resolve) => {
    subscription.on('unsubscribed', () => resolve(true));
    subscription.unsubscribe();
  });
  return sequence;
}
