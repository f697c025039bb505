/** First in, first out, on memory that is kept: an array that is shifted empty gives its memory back, and asks for it again at the next push. */

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** Counted from the first. */
  at(index: number): T | undefined {
    return index < this.length ? this.#items[this.#head + index] : undefined;
  }

  push(item: T): void {
    if (this.#head > 0 && this.#tail === this.#items.length) this.#close();
    this.#items[this.#tail] = item;
    this.#tail += 1;
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined; // Not kept alive.
    this.#head += 1;
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
    return item;
  }

  /** Takes out all there is. */
  takeAll(): T[] {
    const all = this.toArray();
    this.#items = [];
    this.#head = this.#tail = 0;
    return all;
  }

  toArray(): T[] {
    return this.#items.slice(this.#head, this.#tail) as T[];
  }

  /** Moves what there is to the front. */
  #close(): void {
    const { length } = this;
    this.#items.copyWithin(0, this.#head, this.#tail);
    this.#items.fill(undefined, length, this.#tail);
    this.#head = 0;
    this.#tail = length;
  }
}
