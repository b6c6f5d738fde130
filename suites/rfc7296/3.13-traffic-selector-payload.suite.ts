import {
  PAYLOAD,
  require,
  type Script,
  type TrafficSelector,
  type TsPayload,
  test,
} from "../../harness/script/index.ts";

/** The TSi and TSr payloads of the peer. */
const selectorsOf = (s: Script): TsPayload[] =>
  s.trace.exchanges
    .flatMap((e) => (e.by === "peer" ? e.request.payloads : (e.response?.payloads ?? [])))
    .filter((p): p is TsPayload => p.kind === "TS");

const ALL_PORTS = "0 to 65535";

const portsOf = (ts: TrafficSelector): string => `${ts.startPort} to ${ts.endPort}`;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The reserved octets of TSi and TSr are set in all messages of the tester, which makes no difference to the peer:
   * Child SAs come up in both directions, and carry traffic. In the peer's own TSi and TSr these octets are zero, and
   * a selector for any protocol is for all ports.
   */
  test(`sends-plain-selectors-and-ignores-reserved-octets-as-${peer}`, {
    requirements: ["IKEV2-277", "IKEV2-278"],
    peer,
    lies: [
      "drops-selectors-with-reserved-octets",
      "sets-reserved-octets-of-selectors",
      "ends-its-selectors-at-port-zero",
    ],
  }, async (s) => {
    s.extensions.push({
      name: "reserved octets",
      outgoing: ({ payloads }) => {
        for (const p of payloads) if (p.kind === "TS") p.reserved3 = 0xff_ffff;
      },
    });
    const session = await s.establish(peer);
    await session.peerRekeysChild();
    await session.tryCreateChild({ replaces: session.child });
    const payloads = selectorsOf(s);
    require(payloads.length >= 4, "TSi and TSr of the peer", `${payloads.length} payloads`);
    for (const { type, reserved3 = 0, selectors } of payloads) {
      const name = type === PAYLOAD.TSi ? "TSi" : "TSr";
      require(reserved3 === 0, `reserved octets of ${name} zero`, `${reserved3}`);
      for (const ts of selectors.filter(({ ipProtocol, body }) => ipProtocol === 0 && !body))
        require(portsOf(ts) === ALL_PORTS, `ports ${ALL_PORTS} in ${name}`, portsOf(ts));
    }
    await session.proveTraffic();
  });
}
