/** `value` with zero octets in front up to `length`. */
export function leftPad(value: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(value, length - value.length);
  return out;
}

/** The octets `first`, `first` + 1, ... as test vectors write `00..1f`. */
export function counting(first: number, octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, index) => first + index);
}
