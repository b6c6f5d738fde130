import type { DocumentFacts } from "./document.ts";

const ASSIGNED = { state: "assigned", document: "RFC 9838" } as const;

export const gIkev2 = {
  name: "g-ikev2",
  text: "rfc9838",
  title: "Group Key Management Using IKEv2 (RFC 9838)",
  revisions: [],
  codePoints: {
    EXCHANGE: [
      { ...ASSIGNED, value: 39, name: "GSA_AUTH" },
      { ...ASSIGNED, value: 40, name: "GSA_REGISTRATION" },
      { ...ASSIGNED, value: 41, name: "GSA_REKEY" },
      { ...ASSIGNED, value: 42, name: "GSA_INBAND_REKEY" },
    ],
    PAYLOAD: [
      { ...ASSIGNED, value: 50, name: "IDg" },
      { ...ASSIGNED, value: 51, name: "GSA" },
      { ...ASSIGNED, value: 52, name: "KD" },
    ],
    PROTOCOL: [{ ...ASSIGNED, value: 6, name: "GIKE_UPDATE" }],
    TRANSFORM: [
      { ...ASSIGNED, value: 13, name: "KWA" },
      { ...ASSIGNED, value: 14, name: "GCAUTH" },
    ],
    SN: [{ ...ASSIGNED, value: 2, name: "UNSPECIFIED_32", short: "unspec32" }],
    TRANSFORM_ATTRIBUTE: [{ ...ASSIGNED, value: 18, name: "SIGNATURE_ALGORITHM_IDENTIFIER" }],
    KWA: [
      { ...ASSIGNED, value: 1, name: "KW_5649_128", short: "kw128" },
      { ...ASSIGNED, value: 2, name: "KW_5649_192", short: "kw192" },
      { ...ASSIGNED, value: 3, name: "KW_5649_256", short: "kw256" },
      { ...ASSIGNED, value: 4, name: "KW_ARX", short: "kwarx" },
    ],
    GCAUTH: [
      { ...ASSIGNED, value: 1, name: "IMPLICIT", short: "gcimplicit" },
      { ...ASSIGNED, value: 2, name: "DIGITAL_SIGNATURE", short: "gcsignature" },
    ],
    NOTIFY: [
      { ...ASSIGNED, value: 45, name: "INVALID_GROUP_ID" },
      { ...ASSIGNED, value: 46, name: "AUTHORIZATION_FAILED" },
      { ...ASSIGNED, value: 49, name: "REGISTRATION_FAILED" },
      { ...ASSIGNED, value: 16429, name: "GROUP_SENDER" },
    ],
    GSA_ATTRIBUTE: [
      { ...ASSIGNED, value: 1, name: "GSA_KEY_LIFETIME" },
      { ...ASSIGNED, value: 2, name: "GSA_INITIAL_MESSAGE_ID" },
      { ...ASSIGNED, value: 3, name: "GSA_NEXT_SPI" },
    ],
    GW_POLICY_ATTRIBUTE: [
      { ...ASSIGNED, value: 1, name: "GWP_ATD" },
      { ...ASSIGNED, value: 2, name: "GWP_DTD" },
      { ...ASSIGNED, value: 3, name: "GWP_SENDER_ID_BITS" },
    ],
    GROUP_KEY_BAG_ATTRIBUTE: [{ ...ASSIGNED, value: 1, name: "SA_KEY" }],
    MEMBER_KEY_BAG_ATTRIBUTE: [
      { ...ASSIGNED, value: 1, name: "WRAP_KEY" },
      { ...ASSIGNED, value: 2, name: "AUTH_KEY" },
      { ...ASSIGNED, value: 3, name: "GM_SENDER_ID" },
    ],
    // Shared with GDOI; the version in the IKE header tells the two apart.
    UDP_PORT: [{ ...ASSIGNED, value: 848, name: "GDOI" }],
  },
} as const satisfies DocumentFacts;
