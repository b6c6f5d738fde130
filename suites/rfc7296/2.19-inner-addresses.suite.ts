import {
  CFG,
  CFG_ATTRIBUTE,
  type ConfigAttribute,
  type CpPayload,
  EXCHANGE,
  expectAlive,
  expectKept,
  expectNotify,
  expectPayload,
  expectWithin,
  Failure,
  formatAddress,
  hasNotify,
  isSubset,
  listPayloads,
  NOTIFY,
  PAYLOAD,
  type Payload,
  payload,
  peerDeletedIke,
  require,
  type Script,
  Session,
  selector,
  test,
} from "../../harness/script/index.ts";

const FAMILIES = {
  ipv4: { inner: 4, pool: "203.0.113.0/28", attribute: CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, octets: 4 },
  ipv6: { inner: 6, pool: "2001:db8:1::/124", attribute: CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS, octets: 17 },
} as const;
const NAMES = ["ipv4", "ipv6"] as const;
/** Attribute 5 is a relic of RFC 4306; nobody has ever assigned the other. */
const UNKNOWN = [5, 16383];
const unknown = (): ConfigAttribute[] => UNKNOWN.map((type) => ({ type, data: new Uint8Array() }));

interface WithPayloads {
  payloads: Payload[];
}

function cpOf(message: WithPayloads | undefined, cfgType: number, what: string): CpPayload {
  const cp = payload(message?.payloads ?? [], "CP");
  if (cp?.cfgType !== cfgType) throw new Failure(what, listPayloads(message));
  return cp;
}

/** CP must stand before SA, wherever other payloads stand. */
function expectCpBeforeSa(message: WithPayloads | undefined): void {
  const kinds = message?.payloads.map((p) => p.kind) ?? [];
  require(kinds.indexOf("CP") < kinds.indexOf("SA"), "CP before SA", listPayloads(message));
}

/** Adds attributes to our CP payload in IKE_AUTH. */
function addToCp(s: Script, which: "request" | "response", attributes: ConfigAttribute[]): void {
  const add = ({ payloads }: WithPayloads) => void payload(payloads, "CP")?.attributes.push(...attributes);
  s.change(EXCHANGE.IKE_AUTH, add, which);
}

/** The peer's IKE_AUTH request for the Child SA. */
async function childRequest(s: Script): Promise<WithPayloads | undefined> {
  const seen = () =>
    s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").find((e) => payload(e.request.payloads, "SA"));
  await s.provoke(() => seen() !== undefined);
  return seen()?.request;
}

for (const family of NAMES) {
  const { inner, pool, attribute, octets } = FAMILIES[family];

  /**
   * The tester asks for one inner address and offers all traffic. CFG_REPLY stands before SA and has one address, out
   * of the pool. What TSi is narrowed to holds it, and traffic passes both ways from and to this address.
   */
  test(`leases-an-${family}-address-that-works`, {
    requirements: ["IKEV2-179", "IKEV2-288"],
    peer: "responder",
    lies: ["puts-cp-behind-sa", "leases-more-addresses-than-asked"],
    config: { addressPools: [pool] },
    inner,
  }, async (s) => {
    const session = await s.dial();
    const { response } = s.exchange(EXCHANGE.IKE_AUTH);
    const addresses = cpOf(response, CFG.REPLY, "CP(CFG_REPLY)").attributes.filter(
      (a) => a.type === attribute,
    );
    require(addresses.length === 1, "one address", `${addresses.length}`);
    require(addresses[0]?.data.length === octets, `${octets} octets`, `${addresses[0]?.data.length}`);
    expectCpBeforeSa(response);
    const own = session.sa.ownAddresses ?? [];
    expectWithin(own, [selector(pool)], "the leased address");
    expectWithin(own, session.child.localTs, "the leased address");
    await session.proveTraffic();
  });

  /**
   * The peer asks for an inner address in IKE_AUTH. Its CFG_REQUEST asks for an address of the family it is told to, and
   * has neither a netmask with a value nor a list of attributes that it supports. It then takes the address it gets:
   * traffic passes both ways.
   */
  test(`asks-for-an-${family}-address-and-takes-it`, {
    requirements: ["IKEV2-178", "IKEV2-180", "IKEV2-286", "IKEV2-287"],
    peer: "initiator",
    lies: ["asks-for-no-address", "asks-for-a-netmask-of-its-own", "lists-what-it-supports-in-a-request"],
    config: { requestAddresses: [family] },
    inner,
  }, async (s) => {
    const { attributes } = cpOf(await childRequest(s), CFG.REQUEST, "CP(CFG_REQUEST)");
    const types = attributes.map((a) => a.type);
    require(types.includes(attribute), `a request for an ${family} address`, `attributes ${types.join()}`);
    const empty = [CFG_ATTRIBUTE.INTERNAL_IP4_NETMASK, CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES] as number[];
    const filled = attributes.filter((a) => empty.includes(a.type) && a.data.length > 0);
    require(filled.length === 0, "no values", filled.map((a) => `${a.type}`).join());
    await s.until(() => s.trace.childSas().length > 0);
    const [child] = s.trace.childSas();
    if (!child) throw new Failure("a Child SA", s.lastReason());
    await new Session(s, child.ike).proveTraffic(child);
  });
}

/**
 * The peer asks for an inner address in IKE_AUTH. Wherever other payloads stand, CP must stand before SA.
 */
test("puts-its-request-for-an-address-before-sa", {
  requirements: ["IKEV2-179"],
  peer: "initiator",
  lies: ["puts-cp-behind-sa"],
  config: { requestAddresses: ["ipv4"] },
}, async (s) => {
  const request = await childRequest(s);
  cpOf(request, CFG.REQUEST, "CP(CFG_REQUEST)");
  expectCpBeforeSa(request);
});

/**
 * The tester asks for no address, in a configuration without pools. The response must have no CP payload.
 */
test("sends-no-configuration-unasked", {
  requirements: ["IKEV2-181"],
  peer: "responder",
  lies: ["sends-cfg-reply-unasked"],
}, async (s) => {
  await s.dial();
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  require(!payload(response?.payloads ?? [], "CP"), "no CP payload", listPayloads(response));
});

/**
 * The peer leases addresses to its initiators; the tester asks for none. If the peer demands that, it says
 * FAILED_CP_REQUIRED and has no Child SA; the IKE SA is there all the same.
 * Note: whether to demand it is for its policy to say: a Child SA within its selectors, and another refusal of the
 * Child SA, are tolerated.
 */
test("keeps-the-ike-sa-of-who-asks-for-no-address", {
  requirements: ["IKEV2-182", "IKEV2-007"],
  peer: "responder",
  lies: ["fails-ike-with-its-child"],
  config: { addressPools: ["203.0.113.0/28"] },
}, async (s) => {
  s.policy.requestAddresses = [];
  const { sa } = await s.tryDial();
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  expectPayload(response, PAYLOAD.AUTH);
  require(!payload(response?.payloads ?? [], "CP"), "no CP payload", listPayloads(response));
  await expectKept(new Session(s, sa), "deletes the IKE SA that has no Child SA");
  if (payload(response?.payloads ?? [], "SA")) return s.tolerate("makes a Child SA without an inner address");
  if (!hasNotify(response?.payloads ?? [], NOTIFY.FAILED_CP_REQUIRED))
    s.tolerate("says another error than FAILED_CP_REQUIRED");
});

/**
 * The pool has one address. The tester sets up two IKE SAs and asks for an address in both. For the second there is
 * none: the peer says INTERNAL_ADDRESS_FAILURE instead of a Child SA, and keeps both IKE SAs.
 * Note: both have the same identity, and an identity may have one address for all its IKE SAs: that is tolerated.
 */
test("refuses-the-child-sa-if-no-address-is-left", {
  requirements: ["IKEV2-290", "IKEV2-007"],
  peer: "responder",
  lies: ["fails-ike-with-its-child"],
  config: { addressPools: ["203.0.113.1/32"] },
}, async (s) => {
  const first = await s.dial();
  const { sa } = await s.tryDial();
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  const again = payload(response?.payloads ?? [], "CP");
  if (again) return s.tolerate("leases one address to several IKE SAs of one identity");
  expectNotify(response, NOTIFY.INTERNAL_ADDRESS_FAILURE);
  await expectKept(new Session(s, sa), "deletes the IKE SA that has no Child SA");
  await expectAlive(first);
});

/**
 * The peer has IPv4 addresses to lease; the tester asks for one and for an IPv6 address. The latter is ignored, the
 * former leased, and traffic passes.
 */
test("ignores-the-wish-for-a-family-it-has-no-pool-of", {
  requirements: ["IKEV2-290"],
  peer: "responder",
  lies: ["refuses-families-it-has-no-pool-of"],
  config: { addressPools: ["203.0.113.0/28"] },
}, async (s) => {
  s.policy.requestAddresses = ["ipv6", "ipv4"];
  const session = await s.dial();
  const own = session.sa.ownAddresses ?? [];
  require(isSubset(own, [selector("203.0.113.0/28")]), "one IPv4 address of the pool", addressText(own));
  await session.proveTraffic();
});

const addressText = (own: { startAddress: Uint8Array }[]): string =>
  own.map((ts) => formatAddress(ts.startAddress)).join() || "none";

/**
 * Our CFG_REQUEST asks for attributes that do not exist, beside an address. They are ignored: the address is leased,
 * CFG_REPLY has nothing of them, and traffic passes.
 */
test("ignores-unknown-attributes-of-a-request", {
  requirements: ["IKEV2-285"],
  peer: "responder",
  lies: [
    "returns-unknown-attributes",
    "refuses-unknown-attributes",
    "drops-messages-with-unknown-attributes",
  ],
  config: { addressPools: ["203.0.113.0/28"] },
}, async (s) => {
  addToCp(s, "request", unknown());
  const session = await s.dial();
  const { attributes } = cpOf(s.exchange(EXCHANGE.IKE_AUTH).response, CFG.REPLY, "CP(CFG_REPLY)");
  const returned = attributes.filter((a) => UNKNOWN.includes(a.type)).map((a) => a.type);
  require(returned.length === 0, "no unknown attributes", returned.join());
  await session.proveTraffic();
});

/**
 * The peer asks for an inner address; our CFG_REPLY has attributes beside it that do not exist. They are ignored: the
 * Child SA comes up and traffic passes.
 */
test("ignores-unknown-attributes-of-a-reply", {
  requirements: ["IKEV2-285"],
  peer: "initiator",
  lies: ["drops-messages-with-unknown-attributes"],
  config: { requestAddresses: ["ipv4"] },
}, async (s) => {
  addToCp(s, "response", unknown());
  const session = await s.accept();
  await session.proveTraffic();
});

/**
 * The peer asks for an inner address and there is none: our response authenticates us, says INTERNAL_ADDRESS_FAILURE
 * and has no Child SA. The peer takes the IKE SA for established: it answers under it, or ends it with a Delete.
 */
test("takes-the-ike-sa-for-established-without-an-address", {
  requirements: ["IKEV2-008"],
  peer: "initiator",
  lies: ["fails-ike-with-its-child"],
  config: { requestAddresses: ["ipv4"] },
}, async (s) => {
  s.policy.addressPools = [selector("2001:db8:1::/124")];
  const answer = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").find((e) => e.response)?.response;
  await s.provoke(() => answer() !== undefined);
  expectNotify(answer(), NOTIFY.INTERNAL_ADDRESS_FAILURE);
  const { sa } = answer() ?? {};
  require(sa !== undefined, "an IKE_AUTH request of the peer", s.lastReason());
  const kept = (await new Session(s, sa).alive()) || peerDeletedIke(s);
  require(kept, "the IKE SA alive, or its Delete", sa.closedBecause ?? "silence");
});

/**
 * An address is leased for as long as its IKE SA or a successor lives. The tester rekeys the IKE SA: traffic passes
 * from and to the same address on the old Child SA, and on another one.
 */
test("keeps-the-lease-when-the-ike-sa-is-rekeyed", {
  requirements: ["IKEV2-120"],
  peer: "responder",
  lies: ["drops-child-sas-in-an-ike-rekey"],
  config: { addressPools: ["203.0.113.0/28"] },
}, async (s) => {
  const first = await s.dial();
  const session = await first.rekeyIke();
  await session.proveTraffic();
  const child = await session.rekeyChild();
  expectWithin(session.sa.ownAddresses ?? [], child.localTs, "the leased address");
  await session.proveTraffic(child);
});
