/** The key with which a controller signs GSA_REKEY. */
import type { GroupSpec } from "../group/spec.ts";
import { pki } from "../pki/pki.ts";
import type { Credential, KeyKind } from "../pki/types.ts";

const KEYS = {
  ed25519: "ed25519",
  "rsa-pss": "rsa2048",
  "ecdsa-p256": "ecdsa256",
} as const satisfies Partial<Record<GroupSpec["rekey"], KeyKind>>;

/** Undefined where no group signs; one controller signs with keys of one kind. */
export async function groupCredential(groups: readonly GroupSpec[]): Promise<Credential | undefined> {
  for (const { rekey } of groups)
    if (rekey !== "inband" && rekey !== "implicit")
      return (await pki()).credential("gcks.example", KEYS[rekey]);
  return undefined;
}
