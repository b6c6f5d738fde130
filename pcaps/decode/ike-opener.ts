/** Opens the Encrypted payload of a message that was seen, with whichever generation of keys fits it. */
import { openPayload } from "../../harness/ike/sk.ts";
import { decodeChain } from "../../harness/wire/index.ts";
import { FLAG, type Message, type SkfPayload, type SkPayload } from "../../harness/wire/types.ts";
import type { KeyRing } from "./key-ring.ts";
import type { IkeKeySet } from "./transforms.ts";

export type IkeOpened =
  | { plaintext: Uint8Array; innerType: number; keys: IkeKeySet }
  | { error: "no-keys" | "icv" | "damaged" };

/** The Encrypted payload, which is the last; undefined in a message in clear. */
export function encryptedPayload({ payloads }: Message): SkPayload | SkfPayload | undefined {
  const last = payloads.at(-1);
  return last?.kind === "SK" || last?.kind === "SKF" ? last : undefined;
}

/**
 * Opens the payload, which was decoded from `octets`. The I flag tells whose keys; of the generations, the newest
 * whose ICV fits, for IKE_INTERMEDIATE (RFC 9370) changes keys under the same SPIs. Where there is no key for the
 * ICV, what is inside must be a well-formed chain.
 */
export function openIke(
  ring: KeyRing,
  octets: Uint8Array,
  { header }: Message,
  payload: SkPayload | SkfPayload,
): IkeOpened {
  const generations = ring.ikeOf(header.spiI, header.spiR);
  let error: "no-keys" | "icv" | "damaged" = "no-keys";
  for (let index = generations.length - 1; index >= 0; index--) {
    const keys = generations[index]!;
    const { fromInitiator, fromResponder, checked } = keys;
    const protection = (header.flags & FLAG.initiator) !== 0 ? fromInitiator : fromResponder;
    const opened = openPayload(protection, octets, payload, !checked);
    if (!("error" in opened)) {
      if (checked || readable(opened.innerType, opened.plaintext, payload)) return { ...opened, keys };
      error = "icv";
    } else if (opened.error === "icv") error = error === "damaged" ? error : "icv";
    else if (checked || error === "no-keys") error = "damaged";
  }
  return { error };
}

/** Whether decrypted octets can be what was sent; a fragment tells nothing. */
function readable(innerType: number, plaintext: Uint8Array, payload: SkPayload | SkfPayload): boolean {
  if (payload.kind === "SKF") return true;
  const { findings, trailing } = decodeChain(innerType, plaintext);
  return findings.length === 0 && trailing.length === 0;
}
