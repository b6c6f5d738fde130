import {
  EXCHANGE,
  encrTransforms,
  espProposals,
  expectAlive,
  expectChoice,
  expectNotify,
  ikeProposals,
  listPayloads,
  NOTIFY,
  type Proposal,
  payload,
  require,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const HMAC_SHA2_256_128 = 12;

/** The proposal, and one transform more of this type. */
const having = (p: Proposal, type: number, id: number): Proposal => ({
  ...p,
  transforms: [...p.transforms, { type, id, attributes: [] }],
});

for (const peer of ROLES) {
  /**
   * For a new Child SA the tester offers a proposal of values that the peer does not have, and behind it some that have
   * a transform of every type of ESP: NONE for the key exchange and, beside AEAD, for integrity, and sequence numbers
   * of both kinds. The peer takes one of these. As it has no key exchange, the peer ignores the KE payload of the
   * request and sends none.
   */
  test(`takes-transforms-of-every-type-as-${peer}`, {
    requirements: ["IKEV2-243", "IKEV2-252"],
    peer,
    lies: ["refuses-proposals-with-a-none-transform", "answers-with-ke-beside-group-none"],
  }, async (s) => {
    const session = await s.establish(peer);
    const [foreign, aead, ...ordinary] = espProposals(
      ...["aes192-sha512-modp2048-esn", "aes256gcm16-noesn-esn", "aes128-sha256-noesn-esn"],
      "aes128-sha512-noesn-esn",
    );
    require(foreign !== undefined && aead !== undefined, "our offer", "none");
    const good = [having(aead, TRANSFORM.INTEG, 0), ...ordinary].map((p) => having(p, TRANSFORM.KE, 0));
    const child = await session.tryCreateChild({ proposals: [foreign, ...good] });
    const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    const chosen = expectChoice(response, request);
    require(chosen.number > 1, "proposal 2, 3 or 4", `proposal ${chosen.number}`);
    require(payload(request.payloads, "KE") !== undefined, "a KE payload of ours", "none");
    require(!payload(response?.payloads ?? [], "KE"), "no KE payload", listPayloads(response));
    require(typeof child !== "string", "a Child SA", String(child));
    require(await session.ping({ child }), "traffic through it", "none");
  });

  /**
   * A rekey of the IKE SA offers AES-CBC with an integrity of NONE, and ENCR_NULL with an integrity algorithm. An IKE
   * SA must have both, and the payload that carries it has no form without a cipher: the peer takes neither.
   */
  test(`refuses-an-ike-sa-without-encryption-or-integrity-as-${peer}`, {
    requirements: ["IKEV2-284", "IKEV2-298"],
    peer,
    lies: ["takes-integrity-none-for-its-own"],
  }, async (s) => {
    const session = await s.establish(peer);
    const [bare, open] = ikeProposals("aes256-prfsha256-x25519", "null-sha256-x25519");
    require(bare !== undefined && open !== undefined, "two proposals of ours", "none");
    await session.tryRekeyIke({ proposals: [having(bare, TRANSFORM.INTEG, 0), open] });
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
  });

  /**
   * A rekey of the IKE SA offers AES-GCM beside an integrity algorithm, which nobody may offer, and then an ordinary
   * proposal. Whatever the peer chooses, it must not have both; it may refuse all.
   */
  test(`never-chooses-aead-with-integrity-as-${peer}`, {
    requirements: ["IKEV2-308"],
    peer,
    lies: ["pairs-aead-with-integrity"],
  }, async (s) => {
    const session = await s.establish(peer);
    const [aead, ordinary] = ikeProposals("aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519");
    require(aead !== undefined && ordinary !== undefined, "two proposals of ours", "none");
    const odd = having(aead, TRANSFORM.INTEG, HMAC_SHA2_256_128);
    const made = await session.tryRekeyIke({ proposals: [odd, ordinary] });
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    const transforms = payload(response?.payloads ?? [], "SA")?.proposals.flatMap((p) => p.transforms) ?? [];
    const isAead = transforms.some((t) => t.type === TRANSFORM.ENCR && encrTransforms.get(t.id)?.aead);
    const integrity = transforms.some((t) => t.type === TRANSFORM.INTEG && t.id !== 0);
    require(!isAead || !integrity, "AEAD or an integrity algorithm", "both");
    if (transforms.length === 0 && typeof made === "string") await expectAlive(session);
  });
}
