import {
  type Datagram,
  EXCHANGE,
  equal,
  expectEcho,
  expectTraffic,
  Failure,
  feignNat,
  formatAddress,
  hasNotify,
  initExchange,
  listPayloads,
  NOTIFY,
  natHash,
  notifies,
  PAYLOAD,
  payload,
  require,
  type Script,
  type SeenMessage,
  Session,
  type TrafficSelector,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const NAT_DETECTION = [NOTIFY.NAT_DETECTION_SOURCE_IP, NOTIFY.NAT_DETECTION_DESTINATION_IP];

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer's IKE_SA_INIT message has both NAT detection notifies. The tester computes the hashes again over the
   * SPIs of the same header, the addresses and the ports.
   * Note: a source hash that does not fit says "I am behind a NAT". A peer may say so to get UDP encapsulation, so
   * that is tolerated. NAT traversal is optional, so a peer with neither notify does not support it.
   */
  test(`hashes-its-addresses-for-nat-detection-as-${peer}`, {
    requirements: ["IKEV2-203", "IKEV2-204"],
    peer,
    lies: ["hashes-addresses-without-spis", "omits-nat-detection-destination-ip"],
  }, async (s) => {
    await s.establish(peer);
    const exchange = initExchange(s, peer === "initiator" ? "peer" : "us");
    const message = peer === "initiator" ? exchange.request : exchange.response;
    if (!message) throw new Failure("an IKE_SA_INIT message", "none");
    const announced = NAT_DETECTION.some((type) => hasNotify(message.payloads, type));
    if (!announced) throw new Unsupported("the peer sends no NAT detection notifies");
    const { spiI, spiR } = message.header;
    const fits = (type: number, address: typeof s.arena.local): boolean => {
      const found = notifies(message.payloads, type);
      require(found.length > 0, "both NAT detection notifies", listPayloads(message));
      return found.some((n) => equal(n.data, natHash(spiI, spiR, address)));
    };
    const destination = fits(NOTIFY.NAT_DETECTION_DESTINATION_IP, s.arena.local);
    require(destination, "the hash of the address it sends to", "another one");
    if (!fits(NOTIFY.NAT_DETECTION_SOURCE_IP, s.arena.remote)) s.tolerate("it claims to be behind a NAT");
  });
}

/** NAT traversal is optional (section 2.23). */
function needNatTraversal<T extends { sa: Session["sa"] }>(holder: T): T {
  if (NAT_DETECTION.some((type) => holder.sa.announced.has(type))) return holder;
  throw new Unsupported("the peer sends no NAT detection notifies");
}

/** A repeated IKE_SA_INIT request may cross our answer on port 500. */
const isInit = ({ data }: Datagram): boolean => data[18] === EXCHANGE.IKE_SA_INIT;

/** Fails unless all that came since `mark` came in UDP between the ports 4500, IKE with the non-ESP marker in front. */
function expectOnPort4500(s: Script, mark: number): void {
  const { natPort, remoteNatPort } = s.arena;
  const came = s.received(mark);
  const fits = (d: Datagram) => d.source.port === remoteNatPort && d.destination.port === natPort;
  const strays = came.filter((d) => !fits(d) && !isInit(d));
  const text = strays.map((d) => `${d.protocol} ${d.source.port} > ${d.destination.port}`).join(", ");
  require(strays.length === 0, "IKE and ESP between the ports 4500 alone", text);
  const ike = came.filter(({ data }) => data.length > 32 && data.subarray(0, 4).every((b) => b === 0));
  require(ike.length > 0, "IKE with the non-ESP marker", "none");
}

/** The session of the first Child SA, once it is there. */
async function firstSession(s: Script): Promise<Session> {
  await s.until(() => s.trace.childSas().length > 0);
  const [child] = s.trace.childSas();
  if (!child) throw new Failure("an IKE SA with a Child SA", s.lastReason());
  await s.wait();
  return new Session(s, child.ike);
}

/**
 * The peer initiates, and the tester's NAT detection notifies say that the tester is behind a NAT. The peer moves
 * to port 4500: IKE_AUTH and all that follows, ESP included, goes from and to there.
 */
test("moves-to-port-4500-when-the-tester-is-behind-a-nat", {
  requirements: ["IKEV2-205", "IKEV2-206", "IKEV2-207", "IKEV2-209", "IKEV2-052"],
  peer: "initiator",
  lies: ["stays-on-port-500"],
}, async (s) => {
  feignNat(s, "response");
  const session = needNatTraversal(await s.accept());
  const answered = s.trace.entries.findIndex(({ event }) => event.type === "sent");
  expectOnPort4500(s, answered);
  await session.proveTraffic();
  await session.rekeyChild();
  await session.proveTraffic();
  expectOnPort4500(s, answered);
});

/**
 * The tester's NAT detection notifies say that it is behind a NAT, and it moves to port 4500. The peer answers
 * there, and its ESP comes in UDP.
 */
test("follows-to-port-4500-when-the-tester-is-behind-a-nat", {
  requirements: ["IKEV2-206", "IKEV2-207", "IKEV2-209", "IKEV2-052"],
  peer: "responder",
  lies: ["overlooks-a-nat"],
}, async (s) => {
  feignNat(s, "request");
  const { sa } = needNatTraversal(await s.init());
  const mark = s.mark();
  await s.tryAuth(sa);
  const session = await firstSession(s);
  await session.proveTraffic();
  expectOnPort4500(s, mark);
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester's NAT detection notifies say that it is behind a NAT, so that ESP goes in UDP. An echo request in plain
   * ESP, as IP protocol 50, must be taken all the same, and one in UDP after it.
   * Note: Linux kernels drop what is encapsulated in another way than their SA was set up for.
   */
  test(`takes-plain-esp-although-there-is-a-nat-as-${peer}`, {
    requirements: ["IKEV2-208"],
    peer,
    lies: ["refuses-plain-esp", "refuses-esp-in-udp"],
  }, async (s) => {
    if (!s.arena.rawEsp) throw new Unsupported("no ESP as IP protocol 50 in this lab");
    feignNat(s, peer === "responder" ? "request" : "response");
    const session = needNatTraversal(await s.establish(peer));
    await expectTraffic(session, "the Child SA came up");
    await expectEcho(session, "ESP as IP protocol 50", { over: "esp" });
    await expectTraffic(session, "ESP in another encapsulation");
  });
}

const host = ({ startAddress, endAddress }: TrafficSelector): string =>
  equal(startAddress, endAddress) ? formatAddress(startAddress) : "more than one address";

/** The addresses that TSi and then TSr of this request are for. */
const hostsOf = ({ payloads }: SeenMessage): string[] =>
  [PAYLOAD.TSi, PAYLOAD.TSr].flatMap((type) => [
    ...new Set(payload(payloads, "TS", type)?.selectors.map(host) ?? []),
  ]);

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Both ends are set to transport mode, and the tester's NAT detection notifies say that it is behind a NAT. In the
   * peer's request for a Child SA, that of IKE_AUTH or to rekey, TSi and TSr are for one address each: its own and
   * the tester's of the IKE SA.
   */
  test(`names-the-two-hosts-in-transport-mode-behind-a-nat-as-${peer}`, {
    requirements: ["IKEV2-214"],
    peer,
    lies: ["offers-a-network-in-transport-mode"],
    config: { mode: "transport" },
  }, async (s) => {
    feignNat(s, peer === "responder" ? "request" : "response");
    const exchangeType = peer === "responder" ? EXCHANGE.CREATE_CHILD_SA : EXCHANGE.IKE_AUTH;
    const asked = () => s.trace.exchangesOf(exchangeType, "peer").find((e) => hostsOf(e.request).length > 0);
    if (peer === "initiator") await s.provoke(() => asked() !== undefined);
    else await needNatTraversal(await s.dial()).provoke(() => s.arena.driver.rekeyChild(), asked, "a rekey");
    const request = asked()?.request;
    if (!request) throw new Failure("a request for a Child SA", s.lastReason());
    if (request.sa) needNatTraversal({ sa: request.sa });
    const { local, remote } = s.arena;
    const both = [remote.host, local.host].join(", ");
    require(hostsOf(request).join(", ") === both, `TSi and TSr for ${both}`, hostsOf(request).join(", "));
  });
}
