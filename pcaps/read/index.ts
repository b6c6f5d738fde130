/** Reading captures: a file as packets, and packets as what IPsec sent in them. */
export { openCapture, parseCapture } from "./capture.ts";
export {
  type Dissected,
  type DissectOptions,
  Dissector,
  dissect,
} from "./dissect.ts";
