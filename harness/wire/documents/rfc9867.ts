import type { DocumentFacts } from "./document.ts";

const ASSIGNED = { state: "assigned", document: "RFC 9867" } as const;

export const rfc9867 = {
  name: "rfc9867",
  title:
    "Mixing Preshared Keys in the IKE_INTERMEDIATE and CREATE_CHILD_SA Exchanges of the Internet Key Exchange Protocol Version 2 (IKEv2) for Post-Quantum Security",
  revisions: [],
  codePoints: {
    NOTIFY: [
      { ...ASSIGNED, value: 16445, name: "USE_PPK_INT" },
      { ...ASSIGNED, value: 16446, name: "PPK_IDENTITY_KEY" },
    ],
  },
} as const satisfies DocumentFacts;
