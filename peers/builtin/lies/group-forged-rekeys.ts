/** Lies of group members about GSA_REKEY that are not authentic, not new, or not whole. */
import type { GroupHooks } from "../../../harness/group/hooks.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { type Lie, lie } from "./lie.ts";

const decides = (name: string, breaks: string, effect: string, decide: GroupHooks["decide"] & object): Lie =>
  lie(name, breaks, effect, () => ({ group: { decide } }));

const MOST = 100;

/** Opens nothing more once so many could not be opened. */
function stops(): GroupHooks {
  let bad = 0;
  return {
    openedRekey: (result) => {
      if (typeof result === "object" && "error" in result) bad++;
      return bad < MOST ? result : { error: "icv", reason: "a lie" };
    },
  };
}

/** Whatever SA a Delete is about, all data SAs go. */
const deletesAll: GroupHooks = {
  openedRekey: (result) => {
    if (typeof result !== "object" || "error" in result) return result;
    const payloads = result.payloads.map((p) =>
      p.kind === "Delete" ? { ...p, protocolId: PROTOCOL.ESP, spiSize: 4, spis: [new Uint8Array(4)] } : p,
    );
    return { ...result, payloads };
  },
};

export const groupForgedRekeyLies = [
  decides("takes-rekeys-with-any-signature", "G-IKEV2-39", "does not verify signatures", {
    "wrong signature": "accept",
  }),
  decides("takes-rekeys-without-auth", "G-IKEV2-B3", "believes who does not sign, where the group signs", {
    "missing AUTH": "accept",
  }),
  decides("takes-rekeys-of-any-algorithm", "G-IKEV2-B3", "does not verify what is signed in another way", {
    "wrong AlgorithmIdentifier": "accept",
  }),
  decides(
    "takes-auth-in-spite-of-implicit-authentication",
    "G-IKEV2-B3",
    "does not mind AUTH where the group has none",
    { "AUTH in spite of implicit authentication": "accept" },
  ),
  decides("takes-rekeys-from-anywhere", "G-IKEV2-B3", "takes GSA_REKEY that came to its own address", {
    "GSA_REKEY to another address": "take",
  }),
  decides("takes-stale-rekeys", "G-IKEV2-46", "does not look at Message IDs", {
    "replayed GSA_REKEY": "accept",
  }),
  decides("reads-rekey-numbers-as-signed", "G-IKEV2-46", "numbers from 2^31 on are below zero", {
    "numbers of GSA_REKEY": "signed",
  }),
  decides("keeps-unfinished-rekeys-for-ever", "G-IKEV2-41", "has room for a few sets of fragments only", {
    "more sets of fragments than are kept": "drop the new one",
  }),
  lie("takes-any-delete-for-one-of-all-data-sas", "G-IKEV2-B3", "no data SA is left after a Delete", () => ({
    group: deletesAll,
  })),
  lie("stops-at-the-100th-bad-rekey", "G-IKEV2-B3", "takes no GSA_REKEY after 100 that do not open", () => ({
    group: stops(),
  })),
];
