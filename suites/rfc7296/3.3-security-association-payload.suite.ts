import {
  EXCHANGE,
  encrTransforms,
  expectChoice,
  Failure,
  formatProposal,
  ikeProposals,
  listPayloads,
  PROTOCOL,
  type Proposal,
  payload,
  require,
  type Script,
  type SeenMessage,
  Session,
  TRANSFORM,
  type Transform,
  test,
} from "../../harness/script/index.ts";

const KEY_LENGTH = 14;
const GOOD = "aes256-sha256-modp2048";

/** Proposals of ours, the first of them spoilt. */
function offer(specs: string[], spoil: (first: Proposal) => void): Proposal[] {
  const proposals = ikeProposals(...specs);
  const [first] = proposals;
  if (first) spoil(first);
  return proposals;
}

/** Offers these proposals for the IKE SA; the peer must choose the proposal of that number, and use it. */
async function expectChosen(s: Script, proposals: Proposal[], number: number): Promise<void> {
  s.policy.ike = proposals;
  const { sa } = await s.tryDial();
  const { request, response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  const chosen = expectChoice(response, request);
  require(chosen.number === number, `proposal ${number}`, `proposal ${chosen.number}`);
  await new Session(s, sa).proveTraffic();
}

const UNKNOWN: Record<string, Transform> = {
  algorithm: { type: TRANSFORM.ENCR, id: 1099, attributes: [{ type: KEY_LENGTH, value: 256 }] },
  attribute: {
    ...{ type: TRANSFORM.ENCR, id: 12 },
    attributes: [
      { type: KEY_LENGTH, value: 256 },
      { type: 100, value: 1 },
    ],
  },
};

for (const [what, transform] of Object.entries(UNKNOWN)) {
  /**
   * The only proposal has two ciphers: the first with something unknown to the peer, the second an ordinary one.
   * Only that transform is unacceptable; the peer chooses the other.
   */
  test(`skips-a-transform-with-an-unknown-${what}`, {
    requirements: ["IKEV2-251"],
    peer: "responder",
    lies: ["refuses-proposals-with-unknown-transforms"],
  }, async (s) => {
    const proposals = offer([GOOD], (first) => {
      first.transforms = [transform, ...first.transforms];
    });
    await expectChosen(s, proposals, 1);
  });
}

const SPOILT: Record<string, { spoil: (first: Proposal) => void; lie: string; requirement: string }> = {
  "an-unknown-transform-type": {
    spoil: (p) => p.transforms.push({ type: 200, id: 1, attributes: [] }),
    lie: "overlooks-unknown-transform-types",
    requirement: "IKEV2-250",
  },
  "no-prf": {
    spoil: (p) => {
      p.transforms = p.transforms.filter((t) => t.type !== TRANSFORM.PRF);
    },
    lie: "supplies-missing-transforms",
    requirement: "IKEV2-250",
  },
  "no-key-length-for-aes": {
    spoil: (p) => {
      p.transforms = p.transforms.map((t) => ({ ...t, attributes: [] }));
    },
    lie: "supplies-missing-key-lengths",
    requirement: "IKEV2-246",
  },
};

for (const [what, { spoil, lie, requirement }] of Object.entries(SPOILT)) {
  /** The first of two proposals cannot be accepted for this reason; the second can. The peer chooses the second. */
  test(`passes-over-a-proposal-with-${what}`, {
    requirements: [requirement, "IKEV2-241"],
    peer: "responder",
    lies: [lie],
  }, async (s) => {
    await expectChosen(s, offer([GOOD, GOOD], spoil), 2);
  });
}

const WRONG_LENGTHS: Record<string, (p: Proposal) => void> = {
  "a-transform-too-many-in-num-transforms": (p) => {
    p.transformCount = p.transforms.length + 1;
  },
  "a-transform-too-few-in-num-transforms": (p) => {
    p.transformCount = p.transforms.length - 1;
  },
};

for (const [what, spoil] of Object.entries(WRONG_LENGTHS)) {
  /**
   * Num Transforms is not the number of transforms in the proposal. The peer drops the message or refuses it, and
   * never answers with a choice. A good request then succeeds.
   */
  test(`refuses-an-sa-payload-with-${what}`, {
    requirements: ["IKEV2-237"],
    peer: "responder",
    lies: ["accepts-malformed-messages"],
  }, async (s) => {
    const ordinary = s.policy.ike;
    s.policy.ike = offer([GOOD], spoil);
    s.decide("unprotected error notify", "give up");
    const { sa } = await s.tryInit();
    const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
    require(!payload(response?.payloads ?? [], "SA"), "no SA payload in the answer", listPayloads(response));
    s.host.endpoint.core.closeIke(sa, "the test is done with it");
    s.policy.ike = ordinary;
    await s.dial();
  });
}

/** Below this id are ciphers of RFC 2451, some of which take any key length. */
const FIRST_MODERN = 11;
/** What is known of a cipher; nothing of private ones, nor whether they have a key length or an ICV of their own. */
const cipherOf = ({ id }: Transform) =>
  id >= FIRST_MODERN && id < 1024 ? encrTransforms.get(id) : undefined;

const ofType = (p: Proposal, type: number): Transform[] => p.transforms.filter((t) => t.type === type);

const oddAttributes = (t: Transform): boolean => {
  const types = t.attributes.map((a) => a.type);
  if (t.type !== TRANSFORM.ENCR) return t.type <= TRANSFORM.SN && types.length > 0;
  const cipher = cipherOf(t);
  if (!cipher) return false;
  return cipher.keyBits
    ? types.join() !== `${KEY_LENGTH}` || typeof t.attributes[0]?.value !== "number"
    : types.length > 0;
};

/** What is wrong with a proposal that is number `number` of its list; undefined if nothing is. */
function oddity(p: Proposal, number: number, spiLength: number): string | undefined {
  const ciphers = ofType(p, TRANSFORM.ENCR);
  const known = ciphers.every((t) => cipherOf(t));
  const aead = ciphers.filter((t) => cipherOf(t)?.aead).length;
  const integrity = ofType(p, TRANSFORM.INTEG).filter((t) => t.id !== 0).length;
  const mandatory =
    p.protocolId === PROTOCOL.IKE
      ? [TRANSFORM.ENCR, TRANSFORM.PRF, TRANSFORM.KE]
      : [TRANSFORM.ENCR, TRANSFORM.SN];
  if (p.number !== number) return `number ${p.number} in place ${number}`;
  if (p.spi.length !== spiLength) return `an SPI of ${p.spi.length} octets`;
  if (known && aead > 0 && aead < ciphers.length) return "AEAD and other ciphers in one proposal";
  if (known && aead > 0 && integrity > 0) return "an integrity transform beside AEAD ciphers";
  if (known && aead === 0 && integrity === 0) return "no integrity transform";
  const missing = mandatory.find((type) => ofType(p, type).length === 0);
  if (missing) return `no transform of type ${missing}`;
  const odd = p.transforms.find(oddAttributes);
  return odd && `attributes of transform ${odd.id} of type ${odd.type}`;
}

function expectWellFormed(message: SeenMessage | undefined, spiLength: number): void {
  const proposals = payload(message?.payloads ?? [], "SA")?.proposals ?? [];
  if (proposals.length === 0) throw new Failure("proposals", listPayloads(message));
  for (const [i, p] of proposals.entries()) {
    const reason = oddity(p, i + 1, spiLength);
    if (reason) throw new Failure("well-formed proposals", `${reason}: ${formatProposal(p)}`);
  }
}

/**
 * The peer initiates. Its proposals for both SAs are numbered from 1, have SPIs of the right size, a Key Length
 * where the cipher needs one and nowhere else, and no integrity transform beside AEAD ciphers. Its KE payload is of
 * a group that it offers.
 */
test("offers-well-formed-proposals", {
  requirements: ["IKEV2-116", "IKEV2-152", "IKEV2-238", "IKEV2-239", "IKEV2-240", "IKEV2-242", "IKEV2-254"],
  peer: "initiator",
  lies: [
    "numbers-proposals-from-zero",
    "adds-integrity-to-aead",
    "omits-key-lengths",
    "sends-ke-of-an-unoffered-group",
  ],
}, async (s) => {
  await s.provoke(() => s.trace.childSas().length > 0);
  const init = s.exchange(EXCHANGE.IKE_SA_INIT, "peer").request;
  expectWellFormed(init, 0);
  const group = payload(init.payloads, "KE")?.group ?? 0;
  const offered = payload(init.payloads, "SA")?.proposals.flatMap((p) => ofType(p, TRANSFORM.KE)) ?? [];
  require(offered.some((t) => t.id === group), "KE of an offered group", `group ${group}`);
  expectWellFormed(s.exchange(EXCHANGE.IKE_AUTH, "peer").request, 4);
});
