/** The Wrapped Key format (RFC 9838 section 4.5.1). */
import { readU32, view, Writer } from "./bytes.ts";
import type { WrappedKey } from "./group-types.ts";

/** Key ID and KWK ID. */
const HEADER = 8;

/** The value of SA_KEY or WRAP_KEY; undefined when it is no octet string or too short for the two ids. */
export function readWrappedKey(value: number | Uint8Array): WrappedKey | undefined {
  if (typeof value === "number" || value.length < HEADER) return undefined;
  return {
    keyId: readU32(value, 0),
    kwkId: readU32(value, 4),
    encryptedKey: view(value, HEADER, value.length),
  };
}

export function encodeWrappedKey({ keyId, kwkId, encryptedKey }: WrappedKey): Uint8Array {
  const out = new Writer(HEADER + encryptedKey.length);
  out.u32(keyId);
  out.u32(kwkId);
  out.put(encryptedKey);
  return out.finish();
}
