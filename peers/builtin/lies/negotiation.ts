/** Lies about proposals and traffic selectors. */
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Proposal } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, eachPayload } from "./tools.ts";

/** Two lies that change the SA payloads of responses: those for IKE SAs, and those for Child SAs. */
const choosesOddly = (
  name: string,
  breaks: string,
  effect: string,
  change: (chosen: Proposal) => Proposal[],
): Lie[] =>
  [PROTOCOL.IKE, PROTOCOL.ESP].map((protocolId) =>
    lie(`${name}-for-${protocolId === PROTOCOL.IKE ? "ike" : "esp"}`, breaks, effect, () => ({
      ike: {
        outgoing: (message) => {
          const alter = eachPayload("SA", (sa) => {
            sa.proposals = sa.proposals.flatMap((p) => (p.protocolId === protocolId ? change(p) : [p]));
          });
          if (message.isResponse) alter(message);
        },
      },
    })),
  );

const choices = [
  choosesOddly("picks-two-ciphers", "IKEV2-115", "two ENCR transforms in the chosen proposal", (p) => [
    { ...p, transforms: [...p.transforms.filter((t) => t.type === TRANSFORM.ENCR), ...p.transforms] },
  ]),
  choosesOddly("renumbers-its-choice", "IKEV2-241", "the chosen proposal is always number 1", (p) => [
    { ...p, number: 1 },
  ]),
  choosesOddly(
    "changes-the-key-length",
    "IKEV2-248",
    "Key Length of the chosen cipher becomes another",
    (p) => [
      {
        ...p,
        transforms: p.transforms.map((t) => ({
          ...t,
          attributes: t.attributes.map((a) => ({ ...a, value: a.value === 256 ? 128 : 256 })),
        })),
      },
    ],
  ),
  choosesOddly("answers-with-two-proposals", "IKEV2-113", "the chosen proposal, and one more", (p) => [
    p,
    { ...p, number: p.number + 1 },
  ]),
].flat();

const carelessness = [
  decides("takes-the-first-proposal", "IKEV2-113", "accepts transforms it is not configured for", {
    "no acceptable proposal": "take the first",
  }),
  decides("accepts-any-choice", "IKEV2-249", "goes on with a choice it never offered", {
    "choice outside the offer": "accept",
  }),
];

export const negotiationLies: readonly Lie[] = [...choices, ...carelessness];
