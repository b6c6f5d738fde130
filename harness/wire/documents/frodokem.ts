import type { DocumentFacts } from "./document.ts";

/** The registry of IANA has no number yet. */
const PRIVATE = { state: "private use", document: "private: strongSwan branch (draft frodokem)" } as const;

export const frodokem = {
  name: "frodokem",
  text: "draft-ietf-ipsecme-hybrid-kem-ikev2-frodo",
  title: "Post-quantum Hybrid Key Exchange in IKEv2 with FrodoKEM",
  revisions: [],
  provisional:
    "the numbers and the octets of a KE payload: the body of the draft could not be read, both are those of strongSwan's branch",
  codePoints: {
    KE: [
      { ...PRIVATE, value: 1083, name: "FRODOKEM_640_AES", short: "frodoa1" },
      { ...PRIVATE, value: 1084, name: "FRODOKEM_976_AES", short: "frodoa3" },
      { ...PRIVATE, value: 1085, name: "FRODOKEM_1344_AES", short: "frodoa5" },
      { ...PRIVATE, value: 1086, name: "FRODOKEM_640_SHAKE", short: "frodos1" },
      { ...PRIVATE, value: 1087, name: "FRODOKEM_976_SHAKE", short: "frodos3" },
      { ...PRIVATE, value: 1088, name: "FRODOKEM_1344_SHAKE", short: "frodos5" },
    ],
  },
} as const satisfies DocumentFacts;
