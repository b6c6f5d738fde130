/** Reads a capture with keys: all of it that can be read, in order. */
import type { Seen } from "../../harness/lint/seen.ts";
import { readKeys } from "../key-files/read.ts";
import type { KeyFault } from "../key-files/types.ts";
import { Dissector, openCapture } from "../read/index.ts";
import type { CaptureFault } from "../types.ts";
import { Decoder, type DecoderOptions } from "./decoder.ts";
import { addSecrets } from "./secrets.ts";

export interface ReadOptions extends DecoderOptions {
  /** Knows the ports of IKE, and counts what was passed over. */
  dissector?: Dissector;
}

/**
 * What a capture shows, with the keys at `keyPaths` (see `readKeys`) and those in the capture itself; faults of the key
 * files come first, those of the capture where they stand. Fragments that never became complete come last.
 */
export function* readSeen(
  capturePath: string,
  keyPaths: readonly string[] = [],
  { dissector = new Dissector(), ...options }: ReadOptions = {},
): Generator<Seen | CaptureFault | KeyFault> {
  const keys = readKeys(keyPaths);
  yield* keys.faults;
  const decoder = new Decoder(keys.ring, options);
  for (const item of dissector.read(openCapture(capturePath))) {
    if (item.kind === "fault") yield item;
    else if (item.kind === "secrets") yield* addSecrets(keys.ring, item);
    else yield* decoder.datagram(item);
  }
  yield* decoder.end();
}
