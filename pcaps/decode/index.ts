/** From captures and keys to what was seen. */
export { Decoder, type DecoderOptions } from "./decoder.ts";
export { KeyRing } from "./key-ring.ts";
export { PcapngWriter, type TwinPacket } from "./pcapng-writer.ts";
export { readSeen } from "./read-seen.ts";
export type { EspKeySet, IkeKeySet } from "./transforms.ts";
export { twinOf } from "./twin.ts";
