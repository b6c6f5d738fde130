import {
  controllerOf,
  controllerWithMember,
  EXCHANGE,
  type Exchange,
  expect,
  feignNat,
  group,
  hasNotify,
  NOTIFY,
  type Script,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const GDOI_PORT = 848;

/** Tells the peer to begin on port 848, at both ends. One without groups begins where it did, and shows there that it has none. */
async function beginOn848(s: Script): Promise<void> {
  const { config, driver, natPort } = s.arena;
  if (!driver.groups) return;
  if (natPort !== 4500) throw new Unsupported("the ports of this laboratory are not those of the text");
  const at848 = (address: typeof config.local) => ({ ...address, port: GDOI_PORT });
  await driver.configure({ ...config, local: at848(config.local), remote: at848(config.remote) });
}

/** Source and destination port of what came in this exchange. */
function portsOf(s: Script, { request }: Exchange): [number, number] {
  const octets = Buffer.from(request.datagrams[0] ?? []);
  const found = s
    .received()
    .findLast(({ protocol, data }) => protocol === "udp" && Buffer.from(data).includes(octets));
  return [found?.source.port ?? 0, found?.destination.port ?? 0];
}

const initOf = (s: Script): Exchange => s.exchange(EXCHANGE.IKE_SA_INIT, "peer");

const payloadTypes = ({ request }: Exchange): number[] =>
  request.payloads.map(({ type }) => type).sort((a, b) => a - b);

/** A member that is told nothing else begins on port 500, and asks for its group there. */
test("member-registers-at-port-500", {
  requirements: ["G-IKEV2-01"],
  peer: "initiator",
  lies: ["asks-the-controller-at-port-848"],
  config: group(),
}, async (s) => {
  await controllerWithMember(s);
  expect(portsOf(s, initOf(s))[1], "port of IKE_SA_INIT").to.equal(s.arena.local.port);
});

/** The decision of March 2022: who began on 848 and finds a NAT goes on at port 4500, as it does from 500. */
test("member-moves-from-port-848-to-4500-behind-a-nat", {
  requirements: ["G-IKEV2-03"],
  peer: "initiator",
  lies: ["stays-on-port-848-behind-a-nat"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  await beginOn848(s);
  feignNat(s, "response");
  const registration = await controller.registers();
  const init = initOf(s);
  if (!hasNotify(init.request.payloads, NOTIFY.NAT_DETECTION_SOURCE_IP))
    throw new Unsupported("its IKE_SA_INIT request has no NAT_DETECTION_SOURCE_IP: no NAT traversal");
  expect(portsOf(s, init)[1], "port of IKE_SA_INIT").to.equal(GDOI_PORT);
  expect(portsOf(s, registration), "ports of GSA_AUTH").to.deep.equal([
    s.arena.remoteNatPort,
    s.arena.natPort,
  ]);
});

/** The same registration on ports 500 and 848 has the same payloads, and makes a member of the peer. */
test("member-registers-alike-on-ports-500-and-848", {
  requirements: ["G-IKEV2-04"],
  peer: "initiator",
  lies: ["leaves-sag-out-on-port-848"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  const first = await controller.registers();
  await beginOn848(s);
  const second = await controller.registers();
  expect(portsOf(s, second)[1], "port of GSA_AUTH").to.equal(GDOI_PORT);
  expect(payloadTypes(second), "payloads of GSA_AUTH on port 848").to.deep.equal(payloadTypes(first));
  const [sa] = controller.dataSas();
  expect(sa && (await controller.reads(sa)), "data reach the member").to.equal(true);
});
