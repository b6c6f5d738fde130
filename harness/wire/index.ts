/** The wire layer: IKEv2 messages between octets and values, without keys, state or I/O. */
export * from "./bytes.ts";
export { decodeChain, encodeChain, firstPayloadType } from "./chain.ts";
export * from "./group-types.ts";
export { decodeMessage, encodeMessage, type FrameError, IKE_HEADER, isFrameError } from "./message.ts";
export {
  describeIdentity,
  describeMessage,
  describePayload,
  messageToTree,
  payloadToTree,
  type Tree,
} from "./text.ts";
export * from "./types.ts";
export { encodeWrappedKey, readWrappedKey } from "./wrapped-key.ts";
