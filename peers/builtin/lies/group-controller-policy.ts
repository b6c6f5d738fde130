import type { GsaPolicy } from "../../../harness/wire/group-types.ts";
import { GSA_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../../../harness/wire/registry/group-attributes.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { SN } from "../../../harness/wire/registry/sn.ts";
import { TRANSFORM_ATTRIBUTE } from "../../../harness/wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Transform } from "../../../harness/wire/types.ts";
import {
  add,
  drop,
  eachDataPolicy,
  eachGroupWide,
  eachPolicy,
  eachRekeyPolicy,
  inGrants,
  memberBag,
} from "./group-tools.ts";
import { type Lie, lie } from "./lie.ts";

const { AUTH_KEY } = MEMBER_KEY_BAG_ATTRIBUTE;

/** Leaves out the transforms of a type. */
const withoutType =
  (type: number) =>
  (policy: GsaPolicy): void => {
    policy.transforms = policy.transforms.filter((t) => t.type !== type);
  };

const withTransform =
  (transform: Transform) =>
  (policy: GsaPolicy): void => {
    policy.transforms = [...policy.transforms, transform];
  };

/** Changes transforms of a type, which are shared with the group's policy. */
const eachTransform =
  (type: number, change: (transform: Transform) => Transform) =>
  (policy: GsaPolicy): void => {
    policy.transforms = policy.transforms.map((t) => (t.type === type ? change(t) : t));
  };

export const groupPolicyLies: Lie[] = [
  lie("leaves-sn-out", "G-IKEV2-61", "policies of data SAs have no Sequence Numbers transform", () =>
    inGrants(eachDataPolicy(withoutType(TRANSFORM.SN))),
  ),
  lie("protects-rekeys-by-implicit-ivs", "G-IKEV2-63", "the cipher of the Rekey SA is AES_GCM_16_IIV", () =>
    inGrants(eachRekeyPolicy(eachTransform(TRANSFORM.ENCR, (t) => ({ ...t, id: 30 })))),
  ),
  lie("wraps-by-shorter-keys", "G-IKEV2-64", "the key wrap algorithm of the Rekey SA is KW_5649_128", () =>
    inGrants(eachRekeyPolicy(eachTransform(TRANSFORM.KWA, (t) => ({ ...t, id: 1 })))),
  ),
  lie("gives-two-rekey-policies", "G-IKEV2-73", "GSA has the policy of the Rekey SA twice", () =>
    inGrants((payloads) => {
      for (const gsa of payloads)
        if (gsa.kind === "GSA")
          gsa.policies.push(
            ...gsa.policies.filter((p) => p.kind === "SA" && p.protocolId === PROTOCOL.GIKE_UPDATE),
          );
    }),
  ),
  lie(
    "doubles-the-data-sa-as-ah",
    "G-IKEV2-74",
    "an AH policy stands beside that of ESP for the same traffic",
    () =>
      inGrants((payloads) => {
        for (const gsa of payloads) {
          if (gsa.kind !== "GSA") continue;
          const [esp] = gsa.policies
            .filter((p) => p.kind === "SA")
            .filter((p) => p.protocolId === PROTOCOL.ESP);
          const integ = { type: TRANSFORM.INTEG, id: 12, attributes: [] };
          if (!esp) continue;
          const transforms = [integ, ...esp.transforms.filter(({ type }) => type === TRANSFORM.SN)];
          gsa.policies.push({
            ...esp,
            protocolId: PROTOCOL.AH,
            spi: Uint8Array.of(0xc1, 2, 3, 4),
            transforms,
          });
        }
      }),
  ),
  lie(
    "rekeys-to-many-addresses",
    "G-IKEV2-75",
    "the destination of the Rekey SA is a range of addresses",
    () =>
      inGrants(
        eachRekeyPolicy((policy) => {
          const endAddress = policy.destination.endAddress.slice();
          endAddress[3] = 255;
          policy.destination = { ...policy.destination, endAddress };
        }),
      ),
  ),
  lie(
    "rekeys-from-a-few-addresses",
    "G-IKEV2-76",
    "the source of the Rekey SA is a range of two addresses",
    () =>
      inGrants(
        eachRekeyPolicy((policy) => {
          const endAddress = policy.source.endAddress.slice();
          endAddress[3] = (endAddress[3] ?? 0) + 1;
          policy.source = { ...policy.source, endAddress };
        }),
      ),
  ),
  lie("doubles-the-cipher", "G-IKEV2-78", "each policy has two transforms of type ENCR", () =>
    inGrants(
      eachPolicy((policy) => {
        const [encr] = policy.transforms.filter(({ type }) => type === TRANSFORM.ENCR);
        if (encr) policy.transforms = [encr, ...policy.transforms];
      }),
    ),
  ),
  lie(
    "adds-integrity-to-group-aead",
    "G-IKEV2-79",
    "an integrity transform stands beside the AEAD cipher",
    () => inGrants(eachDataPolicy(withTransform({ type: TRANSFORM.INTEG, id: 12, attributes: [] }))),
  ),
  lie("leaves-integrity-out", "G-IKEV2-79a", "a cipher that is not AEAD has no integrity transform", () =>
    inGrants(eachDataPolicy(withoutType(TRANSFORM.INTEG))),
  ),
  lie("conceals-the-signature-algorithm", "G-IKEV2-80", "GCAUTH has no attribute", () =>
    inGrants(eachRekeyPolicy(eachTransform(TRANSFORM.GCAUTH, (t) => ({ ...t, attributes: [] })))),
  ),
  lie("keeps-the-auth-key", "G-IKEV2-80", "KD has no AUTH_KEY", () => inGrants(memberBag(drop(AUTH_KEY)))),
  lie("names-an-algorithm-of-implicit-authentication", "G-IKEV2-81", "GCAUTH 1 has attribute 18", () =>
    inGrants(
      eachRekeyPolicy(
        eachTransform(TRANSFORM.GCAUTH, (t) => ({
          ...t,
          attributes: [
            {
              type: TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER,
              value: Uint8Array.of(0x30, 5, 6, 3, 0x2b, 0x65, 0x70),
            },
          ],
        })),
      ),
    ),
  ),
  lie("authenticates-rekeys-by-a-shared-key", "G-IKEV2-78", "the method of GCAUTH is 3", () =>
    inGrants(eachRekeyPolicy(eachTransform(TRANSFORM.GCAUTH, (t) => ({ ...t, id: 3, attributes: [] })))),
  ),
  lie("numbers-a-single-sender-by-an-unknown-way", "G-IKEV2-84", "Sequence Numbers is 1023", () =>
    inGrants(eachDataPolicy(eachTransform(TRANSFORM.SN, (t) => ({ ...t, id: 1023 })))),
  ),
  lie("numbers-groups-by-64-bits", "G-IKEV2-85", "Sequence Numbers is 1", () =>
    inGrants(eachDataPolicy(eachTransform(TRANSFORM.SN, (t) => ({ ...t, id: SN.PARTIAL_64 })))),
  ),
  lie(
    "numbers-several-senders-in-sequence",
    "G-IKEV2-86",
    "Sequence Numbers is 0 where there are several senders",
    () => inGrants(eachDataPolicy(eachTransform(TRANSFORM.SN, (t) => ({ ...t, id: SN.SEQUENTIAL_32 })))),
  ),
  lie("conceals-lifetimes", "G-IKEV2-88", "no policy has GSA_KEY_LIFETIME", () =>
    inGrants(eachPolicy(drop(GSA_ATTRIBUTE.GSA_KEY_LIFETIME))),
  ),
  lie(
    "gives-inband-groups-no-time",
    "G-IKEV2-88a",
    "with inband rekey policies have a lifetime of zero",
    () => inGrants(eachPolicy(add(GSA_ATTRIBUTE.GSA_KEY_LIFETIME, new Uint8Array(4)))),
  ),
  lie("conceals-the-number-of-rekeys", "G-IKEV2-89", "GSA_INITIAL_MESSAGE_ID is never there", () =>
    inGrants(eachRekeyPolicy(drop(GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID))),
  ),
  lie("counts-rekeys-from-seven", "G-IKEV2-89", "GSA_INITIAL_MESSAGE_ID is there before any rekey", () =>
    inGrants(eachRekeyPolicy(add(GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID, Uint8Array.of(0, 0, 0, 7)))),
  ),
  lie("promises-spis-of-inband-rekeys", "G-IKEV2-90", "with inband rekey policies have GSA_NEXT_SPI", () =>
    inGrants(eachDataPolicy(add(GSA_ATTRIBUTE.GSA_NEXT_SPI, Uint8Array.of(0xc9, 9, 9, 9)))),
  ),
  lie("sets-reserved-of-the-group-policy", "G-IKEV2-92", "RESERVED of the group-wide policy is 1", () =>
    inGrants(
      eachGroupWide((policy) => {
        policy.reserved = 1;
      }),
    ),
  ),
  lie(
    "leaves-the-group-key-wrap-out",
    "G-IKEV2-101",
    "the policy of the Rekey SA has no key wrap algorithm",
    () => inGrants(eachRekeyPolicy(withoutType(TRANSFORM.KWA))),
  ),
];
