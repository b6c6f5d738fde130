import type { DocumentFacts } from "./document.ts";

const ASSIGNED = { state: "assigned", document: "RFC 9242" } as const;

export const rfc9242 = {
  name: "rfc9242",
  title: "Intermediate Exchange in the Internet Key Exchange Protocol Version 2 (IKEv2)",
  revisions: [],
  codePoints: {
    EXCHANGE: [{ ...ASSIGNED, value: 43, name: "IKE_INTERMEDIATE" }],
    NOTIFY: [{ ...ASSIGNED, value: 16438, name: "INTERMEDIATE_EXCHANGE_SUPPORTED", short: "INT_SUP" }],
  },
} as const satisfies DocumentFacts;
