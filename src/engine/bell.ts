/** One promise for all who wait for the same thing to happen again; none while nobody waits. */

export class Bell {
  #waiting: Promise<void> | null = null;
  #wake: () => void = () => undefined;
  readonly #keep: (wake: () => void) => void = (wake) => (this.#wake = wake);

  /** Resolves at the next `ring`. */
  rung(): Promise<void> {
    return (this.#waiting ??= new Promise(this.#keep));
  }

  ring(): void {
    if (this.#waiting === null) return;
    this.#waiting = null;
    this.#wake();
  }
}
