/** Finds the end of a msgpack value that comes in pieces, so that one too long to hold can be passed over. */
import { FIXED_BYTES, LENGTH_BYTES, TOKENS_FIRST, TOKEN_UNUSED, bodyBytes, childCount } from './msgpack-tokens.ts';

/** The pieces may be cut anywhere, inside a head too. */
export class MsgpackBorder {
  #left = 1;
  #bodyBytes = 0;
  #lengthBytes = 0;
  #length = 0;
  #token = 0;
  #broken = false;

  reset(): void {
    this.#left = 1;
    this.#bodyBytes = 0;
    this.#lengthBytes = 0;
    this.#broken = false;
  }

  /** Offset after the value, or -1 when it does not end in this piece (never, after byte 0xc1). */
  feed(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (!this.#broken) {
      if (this.#bodyBytes > 0) {
        const passed = Math.min(this.#bodyBytes, end - at);
        this.#bodyBytes -= passed;
        at += passed;
        if (this.#bodyBytes > 0) return -1;
      }
      if (this.#lengthBytes === 0 && this.#left === 0) return at;
      if (at >= end) return -1;
      if (this.#lengthBytes > 0) this.#lengthByte(bytes[at]!);
      else this.#tokenByte(bytes, at);
      at++;
    }
    return -1;
  }

  #tokenByte(bytes: Uint8Array, at: number): void {
    const token = bytes[at]!;
    this.#left--;
    this.#token = token;
    if (token === TOKEN_UNUSED) this.#broken = true;
    if (token >= TOKENS_FIRST && token < 0xe0) {
      this.#bodyBytes = Math.max(0, FIXED_BYTES[token - TOKENS_FIRST]! - 1);
      this.#lengthBytes = LENGTH_BYTES[token - TOKENS_FIRST]!;
      this.#length = 0;
      return;
    }
    this.#bodyBytes = bodyBytes(bytes, at);
    this.#left += childCount(bytes, at);
  }

  #lengthByte(byte: number): void {
    this.#length = this.#length * 256 + byte;
    if (--this.#lengthBytes > 0) return;
    if (this.#token >= 0xde) this.#left += this.#length * 2;
    else if (this.#token >= 0xdc) this.#left += this.#length;
    else this.#bodyBytes = this.#length + (this.#token >= 0xc7 && this.#token <= 0xc9 ? 1 : 0);
  }
}
