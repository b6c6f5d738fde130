import type { DocumentFacts } from "./document.ts";

const ASSIGNED = { state: "assigned", document: "RFC 9370" } as const;

export const rfc9370 = {
  name: "rfc9370",
  title: "Multiple Key Exchanges in the Internet Key Exchange Protocol Version 2 (IKEv2)",
  revisions: [],
  codePoints: {
    TRANSFORM: [
      { ...ASSIGNED, value: 6, name: "ADDKE1" },
      { ...ASSIGNED, value: 7, name: "ADDKE2" },
      { ...ASSIGNED, value: 8, name: "ADDKE3" },
      { ...ASSIGNED, value: 9, name: "ADDKE4" },
      { ...ASSIGNED, value: 10, name: "ADDKE5" },
      { ...ASSIGNED, value: 11, name: "ADDKE6" },
      { ...ASSIGNED, value: 12, name: "ADDKE7" },
    ],
    EXCHANGE: [{ ...ASSIGNED, value: 44, name: "IKE_FOLLOWUP_KE" }],
    NOTIFY: [
      { ...ASSIGNED, value: 47, name: "STATE_NOT_FOUND" },
      { ...ASSIGNED, value: 16441, name: "ADDITIONAL_KEY_EXCHANGE", short: "ADD_KE" },
    ],
  },
} as const satisfies DocumentFacts;
