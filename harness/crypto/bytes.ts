/** A plain Uint8Array over the same memory; callers never see Buffer, whose `slice` and equality differ. */
export function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return plain(Buffer.concat(parts));
}

/** `value` with zero octets in front up to `length`. */
export function leftPad(value: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(value, length - value.length);
  return out;
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/\s+/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** The octets 0x`first`, first+1, ... as test vectors write `00..1f`. */
export function counting(first: number, octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, index) => first + index);
}
