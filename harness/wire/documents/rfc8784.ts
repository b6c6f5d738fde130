import type { DocumentFacts } from "./document.ts";

const ASSIGNED = { state: "assigned", document: "RFC 8784" } as const;

export const rfc8784 = {
  name: "rfc8784",
  title:
    "Mixing Preshared Keys in the Internet Key Exchange Protocol Version 2 (IKEv2) for Post-quantum Security",
  revisions: [],
  codePoints: {
    NOTIFY: [
      { ...ASSIGNED, value: 16435, name: "USE_PPK" },
      { ...ASSIGNED, value: 16436, name: "PPK_IDENTITY", short: "PPK_ID" },
      { ...ASSIGNED, value: 16437, name: "NO_PPK_AUTH", short: "NO_PPK" },
    ],
    PPK_ID: [
      { ...ASSIGNED, value: 1, name: "OPAQUE" },
      { ...ASSIGNED, value: 2, name: "FIXED" },
    ],
  },
} as const satisfies DocumentFacts;
