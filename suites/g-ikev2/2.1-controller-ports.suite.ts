import {
  EXCHANGE,
  feignNat,
  GROUP,
  GroupMember,
  group,
  hasNotify,
  joined,
  memberOf,
  NOTIFY,
  require,
  Script,
  saPolicies,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const RESPONSE = 0x20;

/** Source ports of the responses to GSA_AUTH that came. */
const answeredFrom = (s: Script): number[] =>
  s.received().flatMap(({ source, destination, data }) => {
    const header = data.subarray(destination.port === s.arena.natPort ? 4 : 0);
    const isResponse = ((header[19] ?? 0) & RESPONSE) !== 0;
    return isResponse && header[18] === EXCHANGE.GSA_AUTH ? [source.port] : [];
  });

/** The same end, which uses this port for its first message, and the peer's. */
function onPort(s: Script, port: number): Script {
  const { local, remote } = s.arena;
  return new Script({ ...s.arena, local: { ...local, port }, remote: { ...remote, port } }, s.trace);
}

const untilTaken = <T>(s: Script, other: Script, act: () => Promise<T>): Promise<T> => {
  s.arena.link.onReceive((datagram) => other.host.take(datagram));
  return act();
};

/**
 * The tester registers on the ordinary ports. The controller answers GSA_AUTH from the port that the request came to:
 * 500, or 4500 where a NAT was found.
 */
test("answers-members-on-the-ordinary-ports", {
  requirements: ["G-IKEV2-01"],
  peer: "responder",
  config: group(),
  lies: ["answers-members-from-port-848"],
}, async (s) => {
  await joined(s);
  const [port] = answeredFrom(s);
  const { remote, remoteNatPort } = s.arena;
  const ordinary = port === remote.port || port === remoteNatPort;
  require(ordinary, `GSA_AUTH answered from port ${remote.port} or ${remoteNatPort}`, `port ${port}`);
});

/**
 * The tester registers on port 500, and then on port 848, which was GDOI's and which G-IKEv2 may use, too. The policy
 * of the group is the same. Note: a controller need not listen on port 848.
 */
test("serves-port-848-as-it-serves-port-500", {
  requirements: ["G-IKEV2-04"],
  peer: "responder",
  config: group(),
  lies: ["refuses-members-on-port-848"],
}, async (s) => {
  const { granted } = await joined(s);
  const other = onPort(s, 848);
  const again = await untilTaken(s, other, async () => {
    const { sa, failure } = await other.tryInit();
    if (failure) throw new Unsupported("no answer on port 848, which a controller may leave alone");
    other.host.endpoint.core.closeIke(sa, "the port is served");
    return new GroupMember(other).register();
  });
  const spis = (payloads: typeof granted.response) => saPolicies(payloads).length;
  require(spis(again.response) ===
    spis(
      granted.response,
    ), "the same policies on both ports", `${spis(again.response)} policies instead of ${spis(granted.response)}`);
});

/**
 * The tester begins on port 848 and says in IKE_SA_INIT that it is behind a NAT. Both ends go on on port 4500 with the
 * non-ESP marker, as if the first message had come to port 500: the working group made no exception for port 848
 * (March 2022).
 */
test("moves-from-port-848-to-4500-behind-a-nat", {
  requirements: ["G-IKEV2-03", "G-IKEV2-04"],
  peer: "responder",
  config: group(),
  lies: ["answers-members-from-port-848"],
}, async (s) => {
  await joined(s);
  const other = onPort(s, 848);
  feignNat(other, "request");
  await untilTaken(s, other, async () => {
    const { sa, failure } = await other.tryInit();
    if (failure) throw new Unsupported("no answer on port 848, which a controller may leave alone");
    const announced = sa.announced.has(NOTIFY.NAT_DETECTION_SOURCE_IP);
    const { response } = other.exchange(EXCHANGE.IKE_SA_INIT);
    if (!announced && !hasNotify(response?.payloads ?? [], NOTIFY.NAT_DETECTION_SOURCE_IP))
      throw new Unsupported("the peer sends no NAT detection notifies");
    other.host.endpoint.core.closeIke(sa, "the port is served");
    await memberOf(other).register({}, GROUP);
  });
  const [port] = answeredFrom(other);
  require(port === s.arena.remoteNatPort, `GSA_AUTH answered from port ${s.arena.remoteNatPort}`, `${port}`);
});
