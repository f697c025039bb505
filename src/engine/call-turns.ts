/** Calls that must wait before they are taken are taken in the order they were made; one that need not wait does not overtake them. */

export class CallTurns {
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  /** Calls wait, or are being taken. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when it is this call's turn and `ready` is too; call what it gives when the call has been taken. */
  async enter(ready: Promise<void>): Promise<() => void> {
    const before = this.#last;
    let leave = (): void => undefined;
    this.#waiting += 1;
    this.#last = new Promise<void>((resolve) => {
      leave = () => {
        this.#waiting -= 1;
        resolve();
      };
    });
    ready.catch(() => undefined); // Heard below, when its turn has come.
    await before;
    try {
      await ready;
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }
}
