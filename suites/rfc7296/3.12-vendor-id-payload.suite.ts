import {
  expectAlive,
  listPayloads,
  PAYLOAD,
  require,
  test,
  type VendorPayload,
} from "../../harness/script/index.ts";

const VENDOR_IDS = ["", "nobody has this vendor id", "x".repeat(700)];

const vendorId = (text: string): VendorPayload => ({
  ...{ kind: "VendorID", type: PAYLOAD.VENDOR_ID },
  data: new TextEncoder().encode(text),
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Every message of the tester has three unknown Vendor IDs, an empty and a long one among them. The peer ignores them.
   * Vendor IDs of its own, if it sends any, are not critical: they change nothing of what the core means.
   */
  test(`ignores-unknown-vendor-ids-as-${peer}`, {
    requirements: ["IKEV2-275", "IKEV2-276"],
    peer,
    lies: ["drops-messages-with-vendor-ids", "sends-a-critical-vendor-id"],
  }, async (s) => {
    s.extensions.push({
      name: "vendor ids",
      outgoing: ({ payloads }) => {
        payloads.push(...VENDOR_IDS.map(vendorId));
      },
    });
    const session = await s.establish(peer);
    await session.rekeyChild();
    await session.proveTraffic();
    await expectAlive(session);
    const messages = s.trace.exchanges.map((e) => (e.by === "peer" ? e.request : e.response));
    const critical = messages.find((m) => m?.payloads.some((p) => p.kind === "VendorID" && p.critical));
    require(critical === undefined, "no critical Vendor ID", listPayloads(critical));
  });
}
