import { hex } from "../../../harness/wire/bytes.ts";
import {
  GROUP_KEY_BAG_ATTRIBUTE,
  GW_POLICY_ATTRIBUTE,
  MEMBER_KEY_BAG_ATTRIBUTE,
} from "../../../harness/wire/registry/group-attributes.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import {
  add,
  double,
  drop,
  eachBag,
  eachGroupWide,
  groupDecides,
  inGrants,
  memberBag,
  rewrap,
} from "./group-tools.ts";
import { type Lie, lie } from "./lie.ts";

const { SA_KEY } = GROUP_KEY_BAG_ATTRIBUTE;
const { WRAP_KEY, AUTH_KEY, GM_SENDER_ID } = MEMBER_KEY_BAG_ATTRIBUTE;
const { GWP_SENDER_ID_BITS } = GW_POLICY_ATTRIBUTE;

export const groupKeyLies: Lie[] = [
  groupDecides("gives-all-data-sas-one-key", "G-IKEV2-55", "the data SAs of a group have the same keys", {
    "keys of data SAs": "one for all",
  }),
  lie("gives-the-same-sender-ids-again", "G-IKEV2-57", "every sender gets the Sender-IDs from 0 on", () =>
    inGrants(
      memberBag((bag) => {
        let next = 0;
        bag.attributes = bag.attributes.map((a) =>
          a.type === GM_SENDER_ID ? { ...a, value: Uint8Array.of(0, 0, 0, next++) } : a,
        );
      }),
    ),
  ),
  groupDecides(
    "gives-sender-ids-again-at-once",
    "G-IKEV2-58",
    "used-up Sender-IDs begin anew with nobody excluded",
    {
      "used-up Sender-IDs": "begin anew",
    },
  ),
  lie("conceals-the-bits-of-sender-ids", "G-IKEV2-94", "GWP_SENDER_ID_BITS is never there", () =>
    inGrants(eachGroupWide(drop(GWP_SENDER_ID_BITS))),
  ),
  lie("gives-everybody-a-sender-id", "G-IKEV2-94", "receivers get a Sender-ID, whatever the cipher", () =>
    inGrants(memberBag(add(GM_SENDER_ID, Uint8Array.of(0, 0, 0, 9)))),
  ),
  lie("gives-one-sender-id-more", "G-IKEV2-100", "one Sender-ID more comes than was asked for", () =>
    inGrants(memberBag(add(GM_SENDER_ID, Uint8Array.of(0, 0, 0, 99)))),
  ),
  lie("gives-no-sender-ids", "G-IKEV2-100a", "senders get no Sender-ID", () =>
    inGrants(memberBag(drop(GM_SENDER_ID))),
  ),
  lie("wraps-group-keys-with-another-key", "G-IKEV2-65", "no key unwraps with GSK_w", () =>
    inGrants(eachBag(rewrap(SA_KEY, ({ encryptedKey }) => void encryptedKey.fill(0x42)))),
  ),
  lie("forgets-to-rekey-gsk-w", "G-IKEV2-65", "on a rekeyed IKE SA no key unwraps with GSK_w", () =>
    inGrants((payloads, { sa }) => {
      if (sa?.replaces) eachBag(rewrap(SA_KEY, ({ encryptedKey }) => void encryptedKey.fill(0x42)))(payloads);
    }),
  ),
  groupDecides("makes-keys-too-long", "G-IKEV2-95", "KEYMAT is one octet longer than the transforms need", {
    "length of KEYMAT": "one octet more",
  }),
  lie("gives-sa-keys-an-id", "G-IKEV2-95", "SA_KEY has Key ID 5", () =>
    inGrants(
      eachBag(
        rewrap(SA_KEY, (key) => {
          key.keyId = 5;
        }),
      ),
    ),
  ),
  lie("wraps-data-keys-by-another-id", "G-IKEV2-95", "SA_KEY of ESP has KWK ID 7", () =>
    inGrants(
      eachBag(
        rewrap(SA_KEY, (key) => {
          key.kwkId = 7;
        }),
        PROTOCOL.ESP,
      ),
    ),
  ),
  lie("gives-the-rekey-key-twice", "G-IKEV2-96", "the bag of the Rekey SA has two SA_KEYs", () =>
    inGrants(eachBag(double(SA_KEY), PROTOCOL.GIKE_UPDATE)),
  ),
  lie("sets-reserved-of-the-member-bag", "G-IKEV2-97", "RESERVED of the member key bag is 1", () =>
    inGrants(
      memberBag((bag) => {
        bag.reserved = 1;
      }),
    ),
  ),
  lie("gives-wrapping-keys-id-zero", "G-IKEV2-98", "a WRAP_KEY has Key ID 0", () =>
    inGrants(
      memberBag(
        rewrap(WRAP_KEY, (key) => {
          key.keyId = 0;
        }),
      ),
    ),
  ),
  lie("gives-two-auth-keys", "G-IKEV2-99", "KD has AUTH_KEY twice", () =>
    inGrants(memberBag(double(AUTH_KEY))),
  ),
  lie("gives-an-auth-key-of-another-kind", "G-IKEV2-99", "AUTH_KEY does not agree with attribute 18", () =>
    inGrants(
      memberBag((bag) => {
        // An X25519 key cannot verify anything.
        const value = Uint8Array.from(Buffer.from(`302a300506032b656e032100${"09".padEnd(64, "0")}`, "hex"));
        bag.attributes = bag.attributes.map((a) => (a.type === AUTH_KEY ? { ...a, value } : a));
      }),
    ),
  ),
  lie(
    "gives-auth-keys-of-pss-without-parameters",
    "G-IKEV2-99",
    "an AUTH_KEY of id-RSASSA-PSS has no parameters",
    () =>
      inGrants(
        memberBag((bag) => {
          bag.attributes = bag.attributes.map((a) =>
            a.type === AUTH_KEY && typeof a.value !== "number"
              ? { ...a, value: withoutParameters(a.value) }
              : a,
          );
        }),
      ),
  ),
  lie(
    "gives-an-auth-key-to-implicit-groups",
    "G-IKEV2-38",
    "KD has AUTH_KEY with implicit authentication",
    () =>
      inGrants(
        memberBag(
          add(AUTH_KEY, Uint8Array.from(Buffer.from(`302a300506032b6570032100${"d7".repeat(32)}`, "hex"))),
        ),
      ),
  ),
];

/** SubjectPublicKeyInfo whose AlgorithmIdentifier is the OID id-RSASSA-PSS alone; the other one's parameters follow that. */
function withoutParameters(spki: Uint8Array): Uint8Array {
  const text = hex(spki);
  const algorithm = /30[0-7][0-9a-f](06092a864886f70d01010a)30/.exec(text);
  if (!algorithm?.[1]) return spki;
  const at = algorithm.index / 2;
  const bits = spki.subarray(at + 2 + (spki[at + 1] ?? 0));
  const rest = Buffer.concat([Buffer.from(`300b${algorithm[1]}`, "hex"), bits]);
  return new Uint8Array(
    Buffer.concat([Uint8Array.of(0x30, 0x82, rest.length >> 8, rest.length & 0xff), rest]),
  );
}
