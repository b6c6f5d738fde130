import type { DocumentFacts } from "./document.ts";

const ASSIGNED = { state: "assigned", document: "draft-ietf-ipsecme-ikev2-mlkem" } as const;

export const mlkem = {
  name: "mlkem",
  text: "draft-ietf-ipsecme-ikev2-mlkem",
  title: "Post-quantum Key Exchange with ML-KEM in the Internet Key Exchange Protocol Version 2 (IKEv2)",
  revisions: [],
  codePoints: {
    KE: [
      { ...ASSIGNED, value: 35, name: "ML_KEM_512", short: "mlkem512" },
      { ...ASSIGNED, value: 36, name: "ML_KEM_768", short: "mlkem768" },
      { ...ASSIGNED, value: 37, name: "ML_KEM_1024", short: "mlkem1024" },
    ],
  },
} as const satisfies DocumentFacts;
