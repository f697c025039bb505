/**
 * What Piscina loads in each thread. It would load an ES module by require(), and Node ends the whole process when a thread is terminated in the
 * middle of that (a processor that is closed as soon as it was opened); import() may be cut off at any time.
 */

/** A task's function is read by its name: each thread loads only the entry it is for. */
module.exports = {
  get serve(): Promise<unknown> {
    return import('./entry.ts').then(({ serve }) => serve);
  },
  get runInbound(): Promise<unknown> {
    return import('./inbound-entry.ts').then(({ runInbound }) => runInbound);
  },
  get checkHandler(): Promise<unknown> {
    return import('./inbound-entry.ts').then(({ checkHandler }) => checkHandler);
  },
};
