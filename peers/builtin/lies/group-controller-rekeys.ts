/** Lies of a group controller about rekeys and exclusion (RFC 9838 sections 2.4, 3.2, 4.6). */
import type { OutgoingRekey } from "../../../harness/group/hooks.ts";
import { notify } from "../../../harness/ike/payloads.ts";
import { u32 } from "../../../harness/wire/bytes.ts";
import { GSA_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../../../harness/wire/registry/group-attributes.ts";
import { GCAUTH } from "../../../harness/wire/registry/group-transforms.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import {
  add,
  eachDataPolicy,
  eachPolicy,
  eachRekeyPolicy,
  groupDecides,
  inInband,
  inRekeys,
  memberBag,
} from "./group-tools.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

const { WRAP_KEY, GM_SENDER_ID } = MEMBER_KEY_BAG_ATTRIBUTE;
const SENDER_ID = u32(3);

/** Changes GSA_REKEY as a whole. */
const inRekeyMessages = (change: (message: OutgoingRekey) => void): LieBehaviour => ({
  group: { outgoingRekey: change },
});

/** Sets Length of the IKE header in what is signed. */
function withLength(octets: Uint8Array, more: number): Uint8Array {
  const changed = octets.slice();
  changed.set(u32(octets.length + more), 24);
  return changed;
}

export const groupRekeyLies: Lie[] = [
  groupDecides(
    "sends-rekeys-until-answered",
    "G-IKEV2-32",
    "GSA_REKEY comes again each second as if it waited for an answer",
    {
      "copies of GSA_REKEY": "until answered",
    },
  ),
  groupDecides("seals-copies-of-rekeys-anew", "G-IKEV2-45", "the copies of a GSA_REKEY have other IVs", {
    "copies of GSA_REKEY": "sealed anew",
  }),
  lie("gives-sender-ids-in-rekeys", "G-IKEV2-33", "GSA_REKEY has a GM_SENDER_ID", () =>
    inRekeys(memberBag(add(GM_SENDER_ID, SENDER_ID))),
  ),
  lie("gives-sender-ids-inband", "G-IKEV2-33", "GSA_INBAND_REKEY has a GM_SENDER_ID", () =>
    inInband(memberBag(add(GM_SENDER_ID, SENDER_ID))),
  ),
  lie(
    "sends-rekeys-on-another-spi",
    "G-IKEV2-34",
    "the SPI pair of GSA_REKEY is not that of the Rekey SA",
    () =>
      inRekeyMessages((message) => {
        message.spi = message.spi.map((octet) => octet ^ 0xff);
      }),
  ),
  lie("leaves-auth-out-of-rekeys", "G-IKEV2-35", "GSA_REKEY has no AUTH although it should be signed", () =>
    inRekeyMessages((message) => {
      message.signed = false;
    }),
  ),
  lie("signs-implicit-rekeys", "G-IKEV2-36", "GSA_REKEY has AUTH with implicit authentication", () =>
    inRekeyMessages((message) => {
      message.signed = true;
    }),
  ),
  lie(
    "signs-the-lengths-as-sent",
    "G-IKEV2-39",
    "the signature covers the Length of the message as it is sent",
    () =>
      inRekeyMessages((message) => {
        message.signedOctets = (octets) => withLength(octets, 25);
      }),
  ),
  lie("signs-the-first-fragment-alone", "G-IKEV2-41", "the signature covers the first 1200 octets", () =>
    inRekeyMessages((message) => {
      message.signedOctets = (octets) => octets.subarray(0, 1200);
    }),
  ),
  groupDecides(
    "goes-on-counting-on-a-new-rekey-sa",
    "G-IKEV2-43",
    "the Message IDs of a new Rekey SA follow those of the old one",
    {
      "first number of a Rekey SA": "go on",
    },
  ),
  lie("skips-numbers-of-rekeys", "G-IKEV2-44", "the Message ID grows by two", () =>
    inRekeyMessages((message) => {
      message.messageId *= 2;
    }),
  ),
  groupDecides(
    "excludes-and-gives-data-keys-at-once",
    "G-IKEV2-66",
    "the excluding message has the new data SAs",
    {
      "data keys in an excluding rekey": "at once",
    },
  ),
  groupDecides(
    "keeps-the-keys-of-excluded-members",
    "G-IKEV2-66",
    "an excluded member can read the next Rekey SA",
    {
      "keys of an excluded member": "keep",
    },
  ),
  lie("changes-the-policy-by-the-way", "G-IKEV2-68", "a rekey of data SAs has another cipher", () =>
    inRekeys(
      eachDataPolicy((policy) => {
        policy.transforms = policy.transforms.map((t) =>
          t.type === TRANSFORM.ENCR ? { ...t, attributes: [{ type: 14, value: 256 }] } : t,
        );
      }),
    ),
  ),
  groupDecides("wraps-other-keys-for-others", "G-IKEV2-69", "the SA_KEYs of a bag hold different keys", {
    "SA_KEYs of a bag": "each its own",
  }),
  lie(
    "names-another-algorithm-in-rekeys",
    "G-IKEV2-82",
    "the AlgorithmIdentifier of AUTH is ecdsa-with-SHA512",
    () =>
      inRekeyMessages((message) => {
        message.algorithmIdentifier = Uint8Array.from(Buffer.from("300a06082a8648ce3d040304", "hex"));
      }),
  ),
  lie("repeats-gcauth-in-rekeys", "G-IKEV2-83", "the policy in GSA_REKEY has GCAUTH", () =>
    inRekeys(
      eachRekeyPolicy((policy) => {
        const gcauth = { type: TRANSFORM.GCAUTH, id: GCAUTH.IMPLICIT, attributes: [] };
        policy.transforms = [...policy.transforms, gcauth];
      }),
    ),
  ),
  lie("gives-wrap-keys-inband", "G-IKEV2-90", "GSA_INBAND_REKEY has a WRAP_KEY", () =>
    inInband(memberBag(add(WRAP_KEY, new Uint8Array(48).fill(1)))),
  ),
  lie("counts-inband-rekeys", "G-IKEV2-90", "GSA_INBAND_REKEY has GSA_INITIAL_MESSAGE_ID", () =>
    inInband(eachPolicy(add(GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID, u32(1)))),
  ),
  lie("notifies-aggfrag-in-rekeys", "G-IKEV2-106", "GSA_REKEY has USE_AGGFRAG", () =>
    inRekeys((payloads) => void payloads.push(notify(NOTIFY.USE_AGGFRAG, Uint8Array.of(0)))),
  ),
];
