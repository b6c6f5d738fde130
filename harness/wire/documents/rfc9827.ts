import type { DocumentFacts } from "./document.ts";

export const rfc9827 = {
  name: "rfc9827",
  title: "Renaming the Extended Sequence Numbers (ESN) Transform Type in IKEv2",
  revisions: [],
  codePoints: {
    TRANSFORM: [{ value: 5, name: "SN", state: "assigned", document: "RFC 7296, RFC 9827" }],
    SN: [
      { value: 0, name: "SEQUENTIAL_32", state: "assigned", document: "RFC 9827", short: "noesn" },
      {
        value: 1,
        name: "PARTIAL_64",
        state: "assigned",
        document: "RFC 9827 (Extended Sequence Numbers)",
        short: "esn",
      },
    ],
  },
} as const satisfies DocumentFacts;
