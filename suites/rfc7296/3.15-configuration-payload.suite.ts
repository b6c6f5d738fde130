import {
  CFG,
  CFG_ATTRIBUTE,
  expectAlive,
  expectNoError,
  listPayloads,
  PAYLOAD,
  type Payload,
  payload,
  require,
  test,
} from "../../harness/script/index.ts";

const cp = (cfgType: number, ...attributes: [type: number, data?: Uint8Array][]): Payload => ({
  kind: "CP",
  type: PAYLOAD.CP,
  cfgType,
  attributes: attributes.map(([type, data]) => ({ type, data: data ?? new Uint8Array() })),
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester pushes an address and an attribute that does not exist, in CFG_SET. The answer has no CP payload, or is
   * CFG_ACK with attributes that are among those pushed, without values. The IKE SA lives on.
   */
  test(`as-${peer}-acknowledges-cfg-set-without-values-if-at-all`, {
    requirements: ["IKEV2-289"],
    peer,
    lies: ["acknowledges-values", "replies-to-cfg-set"],
  }, async (s) => {
    const session = await s.establish(peer);
    const set = cp(
      CFG.SET,
      [CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, Uint8Array.of(203, 0, 113, 1)],
      [16383, Uint8Array.of(1)],
    );
    const response = await session.informational(set);
    expectNoError(response);
    const ack = payload(response.payloads, "CP");
    require(!ack || ack.cfgType === CFG.ACK, "CFG_ACK or no CP payload", listPayloads(response));
    const odd = (ack?.attributes ?? []).filter((a) => a.data.length > 0 || a.type === 16383);
    require(odd.length === 0, "no values, nothing unknown", odd.map((a) => `attribute ${a.type}`).join());
    await expectAlive(session);
  });

  /**
   * The tester asks for the version of the peer's software in INFORMATIONAL. The answer is a text, an empty one, or has
   * no CP payload. The IKE SA lives on.
   */
  test(`as-${peer}-bears-to-be-asked-for-its-version`, {
    requirements: ["IKEV2-183"],
    peer,
    lies: ["has-no-patience-for-questions"],
  }, async (s) => {
    const session = await s.establish(peer);
    const response = await session.informational(cp(CFG.REQUEST, [CFG_ATTRIBUTE.APPLICATION_VERSION]));
    expectNoError(response);
    const reply = payload(response.payloads, "CP");
    require(!reply || reply.cfgType === CFG.REPLY, "CFG_REPLY or no CP payload", listPayloads(response));
    await expectAlive(session);
  });
}
