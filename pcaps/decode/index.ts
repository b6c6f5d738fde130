/** From captures and keys to what was seen. */
export { Decoder, type DecoderOptions } from "./decoder.ts";
export { KeyRing } from "./key-ring.ts";
export { readSeen, seenIn } from "./read-seen.ts";
