import {
  EXCHANGE,
  encrTransforms,
  espProposals,
  expectChoice,
  expectNotify,
  expectTraffic,
  formatProposal,
  NOTIFY,
  type PeerRole,
  PROTOCOL,
  type Proposal,
  payload,
  require,
  type Script,
  TRANSFORM,
  type Transform,
  test,
} from "../../harness/script/index.ts";

/** RFC 8221 sections 5 and 6, at MUST NOT: DES in its three forms, Blowfish, 3IDEA; HMAC-MD5, DES-MAC, KPDK-MD5. */
const FORBIDDEN: Record<number, readonly number[]> = {
  [TRANSFORM.ENCR]: [1, 2, 7, 8, 9],
  [TRANSFORM.INTEG]: [1, 3, 4],
};

const CHACHA20_POLY1305 = 28;

const ofType = (p: Proposal, type: number): Transform[] => p.transforms.filter((t) => t.type === type);

/** ESP proposals in the peer's messages: its offers and its choices. */
function proposalsOf(s: Script): Proposal[] {
  const messages = s.trace.exchanges.map((e) => (e.by === "peer" ? e.request : e.response));
  const all = messages.flatMap((m) => payload(m?.payloads ?? [], "SA")?.proposals ?? []);
  return all.filter(({ protocolId }) => protocolId === PROTOCOL.ESP);
}

/** What the peer proposes for ESP when it makes a Child SA, if it does, and when it rekeys it on command. */
async function proposed(s: Script, peer: PeerRole): Promise<Proposal[]> {
  if (peer === "responder") await s.dial();
  else await s.provoke(() => s.trace.childSas().length > 0);
  await s.wait();
  await s.arena.driver.rekeyChild();
  await s.until(() => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").length > 0);
  const proposals = proposalsOf(s);
  require(proposals.length > 0, "ESP proposals of the peer", s.lastReason());
  return proposals;
}

/** Whether a proposal joins a combined-mode cipher with an integrity algorithm, be that for another cipher in it. */
function overprotects(p: Proposal): boolean {
  const aead = ofType(p, TRANSFORM.ENCR).some(({ id }) => encrTransforms.get(id)?.aead);
  return aead && ofType(p, TRANSFORM.INTEG).some(({ id }) => id !== 0);
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer is configured for combined-mode ciphers and for AES-CBC with HMAC. Its offers, in IKE_AUTH if it begins
   * that and in CREATE_CHILD_SA to rekey, and its choices name no integrity algorithm but NONE beside a combined-mode
   * cipher.
   */
  test(`as-${peer}-names-no-integrity-beside-a-combined-mode-cipher`, {
    requirements: ["ESP-AEAD-01", "ESP-AEAD-02"],
    peer,
    lies: ["adds-integrity-to-aead"],
  }, async (s) => {
    const odd = (await proposed(s, peer)).find(overprotects);
    require(!odd, "no integrity beside AEAD", odd ? formatProposal(odd) : "");
  });

  /** Its offers and choices for ESP have none of the algorithms that RFC 8221 forbids. */
  test(`as-${peer}-offers-no-forbidden-algorithm`, {
    requirements: ["ESP-ALG-02"],
    peer,
    lies: ["offers-des-for-esp"],
  }, async (s) => {
    const isForbidden = ({ type, id }: Transform) => FORBIDDEN[type]?.includes(id) ?? false;
    const odd = (await proposed(s, peer)).find(({ transforms }) => transforms.some(isForbidden));
    require(!odd, "none of the algorithms that RFC 8221 forbids", odd ? formatProposal(odd) : "");
  });

  /** A CREATE_CHILD_SA request offers DES, Blowfish and HMAC-MD5, and nothing else: NO_PROPOSAL_CHOSEN. */
  test(`as-${peer}-refuses-forbidden-algorithms`, {
    requirements: ["ESP-ALG-02"],
    peer,
    lies: ["accepts-forbidden-algorithms"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.tryCreateChild({
      proposals: espProposals("des-sha256", "blowfish128-sha256", "aes128-md5"),
    });
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectTraffic(session, "the refusal");
  });

  /** ChaCha20-Poly1305 has keys of one length: the peer's offers and choices give it no Key Length attribute. */
  test(`as-${peer}-gives-chacha20-poly1305-no-key-length`, {
    requirements: ["ESP-CP-02"],
    peer,
    lies: ["gives-a-key-length-to-chacha20-poly1305"],
    config: { espProposals: ["chacha20poly1305"] },
  }, async (s) => {
    const transforms = (await proposed(s, peer)).flatMap((p) => ofType(p, TRANSFORM.ENCR));
    const own = transforms.filter(({ id }) => id === CHACHA20_POLY1305);
    require(own.length > 0, "ChaCha20-Poly1305", transforms.map(({ id }) => id).join());
    const attributes = own.flatMap((t) => t.attributes);
    require(attributes.length === 0, "no attribute", `${attributes.length} attributes`);
  });

  /**
   * One proposal of a CREATE_CHILD_SA request has NULL with AES-GMAC and AES-GCM to choose from. GMAC is used beside no
   * other cipher: the peer's choice has exactly one of the two, and traffic passes.
   */
  test(`as-${peer}-uses-gmac-beside-no-cipher`, {
    requirements: ["ESP-GMAC-04"],
    peer,
    lies: ["chooses-gmac-beside-a-cipher"],
    config: { espProposals: ["aes128gcm16", "aes128gmac"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const made = await session.tryCreateChild({ proposals: espProposals("aes128gmac-aes128gcm16") });
    const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectChoice(response, request);
    require(typeof made !== "string", "a Child SA", String(made));
    await session.proveTraffic(made);
  });
}
