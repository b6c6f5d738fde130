/** What a member asks for and says in GSA_AUTH and GSA_REGISTRATION: RFC 9838 sections 2.3.1 to 2.3.3. */
import { schemeByName } from "../crypto/signatures.ts";
import { idPayload } from "../ike/auth/octets.ts";
import { notify } from "../ike/payloads.ts";
import type { Identity } from "../ike/policy.ts";
import { u32 } from "../wire/bytes.ts";
import { GCAUTH } from "../wire/registry/group-transforms.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM_ATTRIBUTE } from "../wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload, Proposal, Transform } from "../wire/types.ts";
import type { GroupWishes, MemberPolicy } from "./member-types.ts";

/** IDg, SAg and GROUP_SENDER. */
export function requestPayloads(group: Identity, wishes: GroupWishes, { SAg }: MemberPolicy): Payload[] {
  const offer = wishes.SAg ?? SAg;
  // Copies: a message is open to change before it goes out.
  const copies = offer === "none" ? [] : offer.map((p) => ({ ...p, transforms: [...p.transforms] }));
  const proposals: Payload[] = offer === "none" ? [] : [{ kind: "SA", type: PAYLOAD.SA, proposals: copies }];
  const sender = wishes.sender ? [notify(NOTIFY.GROUP_SENDER, u32(wishes.senderIds ?? 1))] : [];
  return [idPayload(PAYLOAD.IDg, group), ...proposals, ...sender];
}

/** Signatures of GSA_REKEY that a member can verify. */
const SCHEMES = ["ed25519", "rsa-pss-sha256", "ecdsa-sha256"] as const;

const signed = SCHEMES.map(
  (name): Transform => ({
    ...{ type: TRANSFORM.GCAUTH, id: GCAUTH.DIGITAL_SIGNATURE },
    attributes: [
      {
        type: TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER,
        value: schemeByName(name).algorithmIdentifier,
      },
    ],
  }),
);

function transforms(words: string, protocolId: number): Transform[] {
  const proposal = parseProposal(words, protocolId);
  if (isSpecError(proposal)) throw new Error(proposal.reason);
  const none = proposal.transforms.filter(({ type }) => type !== TRANSFORM.SN);
  return protocolId === PROTOCOL.GIKE_UPDATE ? none : proposal.transforms;
}

const CIPHERS = "aes256gcm16-aes128gcm16-aes256-aes128-sha256-sha512";

/** SAg of a member that can do everything we have code for. Numbers are equal: nothing depends on another. */
export const everything = (): Proposal[] => [
  {
    ...{ number: 1, protocolId: PROTOCOL.GIKE_UPDATE, spi: new Uint8Array(0) },
    transforms: [...transforms(`${CIPHERS}-kw256-kw128-kw192-gcimplicit`, PROTOCOL.GIKE_UPDATE), ...signed],
  },
  {
    ...{ number: 1, protocolId: PROTOCOL.ESP, spi: new Uint8Array(0) },
    transforms: transforms(`${CIPHERS}-chacha20poly1305-aes128ctr-noesn-unspec32`, PROTOCOL.ESP),
  },
];

export const ordinaryMember: MemberPolicy = {
  SAg: everything(),
  softLifetime: 0.9,
  spreadMs: 5000,
  tries: 3,
  port: 6000,
};
