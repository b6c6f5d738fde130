import {
  EXCHANGE,
  encrTransforms,
  espProposals,
  expectChoice,
  expectInitRefused,
  Failure,
  formatProposal,
  ikeProposals,
  listPayloads,
  type OutgoingMessage,
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

const ROLES = ["responder", "initiator"] as const;

/**
 * Offers these proposals for an IKE SA, to a peer that is the initiator by rekeying its own. It must choose the
 * proposal of that number, and use it.
 */
async function expectChosen(
  s: Script,
  peer: (typeof ROLES)[number],
  proposals: Proposal[],
  number: number,
): Promise<void> {
  const first = peer === "responder";
  if (first) s.policy.ike = proposals;
  const sa = first ? (await s.tryDial()).sa : await (await s.accept()).tryRekeyIke({ proposals });
  const { request, response } = s.exchange(first ? EXCHANGE.IKE_SA_INIT : EXCHANGE.CREATE_CHILD_SA);
  const chosen = expectChoice(response, request);
  require(chosen.number === number, `proposal ${number}`, `proposal ${chosen.number}`);
  require(typeof sa !== "string", "an IKE SA of it", String(sa));
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
  for (const peer of ROLES) {
    /**
     * The only proposal has two ciphers: the first with something unknown to the peer, the second an ordinary one.
     * Only that transform is unacceptable; the peer chooses the other.
     */
    test(`skips-a-transform-with-an-unknown-${what}-as-${peer}`, {
      requirements: ["IKEV2-251"],
      peer,
      lies: ["refuses-proposals-with-unknown-transforms"],
    }, async (s) => {
      const proposals = offer([GOOD], (first) => {
        first.transforms = [transform, ...first.transforms];
      });
      await expectChosen(s, peer, proposals, 1);
    });
  }
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
  for (const peer of ROLES) {
    /** The first of two proposals cannot be accepted for this reason; the second can. The peer chooses the second. */
    test(`passes-over-a-proposal-with-${what}-as-${peer}`, {
      requirements: [requirement, "IKEV2-241"],
      peer,
      lies: [lie],
    }, async (s) => {
      await expectChosen(s, peer, offer([GOOD, GOOD], spoil), 2);
    });
  }
}

function spoilSa({ payloads }: OutgoingMessage, spoil: (p: Proposal) => void): void {
  const sa = payload(payloads, "SA");
  require(sa !== undefined, "an SA payload of ours", "none");
  sa.proposals = sa.proposals.map((p) => ({ ...p }));
  for (const p of sa.proposals) spoil(p);
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
  for (const peer of ROLES) {
    /**
     * Num Transforms is not the number of transforms in the proposal, in the offer to a responder and in the choice
     * that an initiator gets. The peer drops the message or refuses it, and never goes on. A good message then succeeds.
     */
    test(`refuses-an-sa-payload-with-${what}-as-${peer}`, {
      requirements: ["IKEV2-237"],
      peer,
      lies: ["accepts-malformed-messages"],
    }, async (s) => {
      if (peer === "initiator") return expectInitRefused(s, (message) => spoilSa(message, spoil));
      const ordinary = s.policy.ike;
      s.policy.ike = offer([GOOD], spoil);
      s.decide("unprotected error notify", "give up");
      const { sa } = await s.tryInit();
      const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
      require(!payload(response?.payloads ?? [], "SA"), "no SA payload in the answer", listPayloads(
        response,
      ));
      s.host.endpoint.core.closeIke(sa, "the test is done with it");
      s.policy.ike = ordinary;
      await s.establish(peer);
    });
  }
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
  const bits = t.attributes[0]?.value;
  return cipher.keyBits
    ? types.join() !== `${KEY_LENGTH}` || typeof bits !== "number" || !cipher.keyBits.includes(bits)
    : types.length > 0;
};

const ENCR_NULL = 11;

/** What is wrong with the ciphers of a proposal and the integrity transforms beside them. */
function oddCiphers(p: Proposal): string | undefined {
  const ciphers = ofType(p, TRANSFORM.ENCR);
  const integrity = ofType(p, TRANSFORM.INTEG);
  const ike = p.protocolId === PROTOCOL.IKE;
  if (ike && ciphers.some(({ id }) => id === ENCR_NULL)) return "ENCR_NULL for the IKE SA";
  if (!ciphers.every(cipherOf)) return undefined;
  const aead = ciphers.filter((t) => cipherOf(t)?.aead).length;
  const some = integrity.some(({ id }) => id !== 0);
  if (aead > 0 && aead < ciphers.length) return "AEAD and other ciphers in one proposal";
  if (aead > 0 && some) return "an integrity transform beside AEAD ciphers";
  if (aead > 0) return undefined;
  if (ike && integrity.some(({ id }) => id === 0)) return "the integrity NONE beside an ordinary cipher";
  return some ? undefined : "no integrity transform";
}

/** What is wrong with a proposal that is number `number` of its list; undefined if nothing is. */
function oddity(p: Proposal, number: number, spiLength: number): string | undefined {
  const mandatory =
    p.protocolId === PROTOCOL.IKE
      ? [TRANSFORM.ENCR, TRANSFORM.PRF, TRANSFORM.KE]
      : [TRANSFORM.ENCR, TRANSFORM.SN];
  if (p.number !== number) return `number ${p.number} in place ${number}`;
  if (p.spi.length !== spiLength) return `an SPI of ${p.spi.length} octets`;
  const missing = mandatory.find((type) => ofType(p, type).length === 0);
  if (missing) return `no transform of type ${missing}`;
  const odd = p.transforms.find(oddAttributes);
  return odd ? `attributes of transform ${odd.id} of type ${odd.type}` : oddCiphers(p);
}

/** Fails unless the proposals are well-formed, and KE, if there is any, is of a group that they have. */
function expectWellFormed(s: Script, message: SeenMessage, spiLength: number): void {
  const proposals = payload(message.payloads, "SA")?.proposals ?? [];
  if (proposals.length === 0) throw new Failure("proposals", listPayloads(message));
  for (const [i, p] of proposals.entries()) {
    const reason = oddity(p, i + 1, spiLength);
    if (reason) throw new Failure("well-formed proposals", `${reason}: ${formatProposal(p)}`);
  }
  expectInOrder(s, message);
  const group = payload(message.payloads, "KE")?.group;
  const offered = proposals.some((p) => ofType(p, TRANSFORM.KE).some(({ id }) => id === group));
  require(group === undefined || offered, "KE of an offered group, or none", `group ${group}`);
}

/** The ciphers and integrity algorithms of a proposal. */
const algorithmsOf = (p: Proposal): string =>
  p.transforms
    .filter(({ type, id }) => type === TRANSFORM.ENCR || (type === TRANSFORM.INTEG && id !== 0))
    .map(({ type, id, attributes }) => `${type}:${id}/${attributes[0]?.value ?? ""}`)
    .sort()
    .join(" ");

/** Fails unless the proposals come in the order of preference that the peer was told; a rekey may begin with what is in use. */
function expectInOrder(s: Script, message: SeenMessage): void {
  const proposals = payload(message.payloads, "SA")?.proposals ?? [];
  const { ikeProposals: ike, espProposals: esp } = s.arena.config;
  const own = proposals[0]?.protocolId === PROTOCOL.IKE ? ikeProposals(...ike) : espProposals(...esp);
  const offered = [...new Set(proposals.map(algorithmsOf))];
  const wanted = [...new Set(own.map(algorithmsOf))].filter((a) => offered.includes(a));
  const known = offered.filter((a) => wanted.includes(a));
  const rekey = message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA;
  const inUseFirst = rekey ? [...known.slice(0, 1), ...wanted.filter((a) => a !== known[0])] : wanted;
  const order = known.join(", ");
  if ([wanted, inUseFirst].some((list) => list.join(", ") === order)) return;
  const opposite = order === wanted.toReversed().join(", ");
  require(opposite, `proposals in the order ${wanted.join(", ")}`, order);
  s.tolerate("it prefers the opposite of what it was told");
}

/** The peer's request to rekey an SA of this protocol on command. */
async function rekeyOf(s: Script, protocolId: number, verb: () => Promise<void>): Promise<SeenMessage> {
  const seen = () =>
    s.trace
      .exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer")
      .find((e) => e.response && payload(e.request.payloads, "SA")?.proposals[0]?.protocolId === protocolId);
  await verb();
  await s.until(() => seen() !== undefined);
  const request = seen()?.request;
  if (!request) throw new Failure(`a request to rekey an SA of protocol ${protocolId}`, s.lastReason());
  return request;
}

const READ_IN_OFFERS = [
  ...[
    "IKEV2-116",
    "IKEV2-152",
    "IKEV2-236",
    "IKEV2-238",
    "IKEV2-239",
    "IKEV2-240",
    "IKEV2-242",
    "IKEV2-245",
    "IKEV2-254",
  ],
  ...["IKEV2-255", "IKEV2-298", "IKEV2-307", "IKEV2-308", "IKEV2-310"],
];

for (const peer of ROLES) {
  /**
   * The proposals of the peer, in the initial exchanges if it begins those and in requests to rekey both SAs, are
   * numbered from 1, have SPIs of the right size, a Key Length where the cipher needs one and nowhere else, in the
   * short format, no integrity transform beside AEAD ciphers, and one beside all others. A KE payload is of a group
   * that the proposals have. The proposals come in the order in which the peer was told to prefer them.
   */
  test(`offers-well-formed-proposals-as-${peer}`, {
    requirements: READ_IN_OFFERS,
    peer,
    lies: [
      "numbers-proposals-from-zero",
      "shuffles-its-proposals",
      "adds-integrity-to-aead",
      "omits-key-lengths",
      "repeats-key-lengths",
      "sends-key-lengths-in-the-long-format",
      "gives-a-key-length-to-chacha20-poly1305",
      "offers-encr-null-for-the-ike-sa",
      "offers-no-integrity-for-the-ike-sa",
      "sends-ke-of-an-unoffered-group",
      "sends-ke-without-a-group",
    ],
  }, async (s) => {
    if (peer === "responder") await s.dial();
    else {
      await s.provoke(() => s.trace.childSas().length > 0);
      expectWellFormed(s, s.exchange(EXCHANGE.IKE_SA_INIT, "peer").request, 0);
      expectWellFormed(s, s.exchange(EXCHANGE.IKE_AUTH, "peer").request, 4);
      await s.wait();
    }
    const { driver } = s.arena;
    expectWellFormed(s, await rekeyOf(s, PROTOCOL.ESP, () => driver.rekeyChild()), 4);
    expectWellFormed(s, await rekeyOf(s, PROTOCOL.IKE, () => driver.rekeyIke()), 8);
  });
}
