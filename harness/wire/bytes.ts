/** Small helpers for octet strings. Big endian throughout, as in every format of this layer. */

/** The shared empty octet string. */
export const EMPTY: Uint8Array = new Uint8Array(0);

export function concat(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = uninitialized(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Octets to be overwritten, all of them, cut from a block that node keeps for this: an array buffer of its own for
 * every small string is what keeps the garbage collector busy.
 */
export function uninitialized(octets: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafe(octets);
  return new Uint8Array(buffer, byteOffset, octets);
}

/** Lower-case hex without separators. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** Octets of a hex text. White space is ignored; reading stops at the first character that is no hex digit. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ""), "hex"));
}

/** Compares without regard to timing: for tests and bookkeeping, not for secrets. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Two octets. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

/** Four octets. */
export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Octets past the end count as zero, so that reading is total. */
export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function readU24(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) << 8) | (bytes[at + 2] ?? 0);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((readU16(bytes, at) << 16) | readU16(bytes, at + 2)) >>> 0;
}

/** A view of `bytes` from `start` to `end` (exclusive); the shared empty string when there is nothing between. */
export function view(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return end > start ? bytes.subarray(start, end) : EMPTY;
}

/** A plain Uint8Array over the same memory: views of a Buffer would be Buffers, slow to make and odd to compare. */
export function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A growing buffer. Numbers are cut to the width of their field. */
export class Writer {
  private bytes: Uint8Array;
  /** Octets written so far. */
  length = 0;

  constructor(capacity = 512) {
    this.bytes = uninitialized(capacity);
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.reserve(2);
    this.bytes[at] = value >>> 8;
    this.bytes[at + 1] = value;
  }

  u24(value: number): void {
    this.u8(value >>> 16);
    this.u16(value);
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value);
  }

  put(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** Exactly `size` octets: cut or filled with zeros. */
  putFixed(bytes: Uint8Array, size: number): void {
    const at = this.reserve(size);
    this.bytes.fill(0, at, at + size);
    this.bytes.set(bytes.length > size ? bytes.subarray(0, size) : bytes, at);
  }

  /** Overwrites two octets written before. */
  patchU16(at: number, value: number): void {
    this.bytes[at] = value >>> 8;
    this.bytes[at + 1] = value;
  }

  patchU32(at: number, value: number): void {
    this.patchU16(at, value >>> 16);
    this.patchU16(at + 2, value);
  }

  /** What was written, of exactly that size. Nothing may be written after this. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(octets: number): number {
    const at = this.length;
    this.length = at + octets;
    if (this.length > this.bytes.length) {
      const grown = uninitialized(Math.max(this.length, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    return at;
  }
}
