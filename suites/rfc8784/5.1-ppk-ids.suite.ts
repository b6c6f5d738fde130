import {
  authPayloads,
  concat,
  expectPpkNotify,
  expectPpkRefused,
  expectPpkUsed,
  NOTIFY,
  PPK_ID,
  ppkId,
  SHARED_PPK,
  test,
  withPolicy,
} from "../../harness/script/index.ts";

const TEXT = "bakeoff/ppk+id/";
/** In the alphabet of base64, each octet of the whole unlike its neighbours. */
const idOf = (octets: number): string => TEXT.repeat(Math.ceil(octets / TEXT.length)).slice(0, octets);
const configOf = (octets: number) => ({ ppks: [{ ...SHARED_PPK, id: idOf(octets) }] });

for (const octets of [1, 32, 64, 65, 255, 2000]) {
  const long = octets > 1000;

  /**
   * Both ends have a PPK whose PPK_ID of type PPK_ID_FIXED has so many octets behind its type. The peer finds it. Note: no
   * text limits the length; with 2000 octets the request needs several IP packets, or fragments where both ends have them.
   */
  test(`finds-a-ppk-with-an-id-of-${octets}-octets`, {
    requirements: ["PPK-18", ...(long ? [] : ["PPK-08"])],
    peer: "responder",
    lies: ["cuts-ppk-ids"],
    config: configOf(octets),
  }, async (s) => {
    s.policy.ppkRequired = true;
    await expectPpkUsed(s, "responder");
  });

  /** The peer names its PPK by the type octet PPK_ID_FIXED and all of its text. */
  test(`names-a-ppk-with-an-id-of-${octets}-octets`, {
    requirements: ["PPK-10", "PPK-23"],
    peer: "initiator",
    lies: ["cuts-ppk-ids", "writes-ppk-ids-without-a-type"],
    config: configOf(octets),
  }, async (s) => {
    await expectPpkUsed(s, "initiator");
    expectPpkNotify(authPayloads(s, "initiator").request, NOTIFY.PPK_IDENTITY, ppkId(idOf(octets)));
  });
}

const NUL = new Uint8Array(1);
const OWN = ppkId(SHARED_PPK.id);

for (const [name, id, lie] of [
  ["of-type-opaque", ppkId(SHARED_PPK.id, PPK_ID.OPAQUE), "reads-no-types-of-ppk-ids"],
  ["of-a-private-type", ppkId(SHARED_PPK.id, 128), "reads-no-types-of-ppk-ids"],
  ["with-a-nul-behind-it", concat(OWN, NUL), "ends-ppk-ids-at-a-nul"],
  ["with-a-nul-and-more-behind-it", concat(OWN, NUL, OWN), "ends-ppk-ids-at-a-nul"],
  ["with-more-behind-it", concat(OWN, Uint8Array.of(0x3d)), "believes-whoever-names-a-ppk"],
  ["that-is-cut-short", OWN.subarray(0, -1), "believes-whoever-names-a-ppk"],
  ["in-capitals", ppkId(SHARED_PPK.id.toUpperCase()), "compares-no-case-of-ppk-ids"],
  ["without-text", OWN.subarray(0, 1), "believes-whoever-names-a-ppk"],
  ["without-type", OWN.subarray(0, 0), "believes-whoever-names-a-ppk"],
  ["of-2000-octets", ppkId(idOf(2000)), "believes-whoever-names-a-ppk"],
] as const) {
  /**
   * The tester has the peer's PPK, but under another PPK_ID, which differs only in this, and does not do without it. To
   * the peer it is unknown: AUTHENTICATION_FAILED. Under its own PPK_ID the PPK serves. Note: INVALID_SYNTAX does as well
   * where not even the type is there.
   */
  test(`does-not-know-a-ppk-id-${name}`, {
    requirements: ["PPK-15"],
    peer: "responder",
    lies: [lie],
    config: { ppks: [SHARED_PPK] },
  }, (s) => {
    const ppks = s.policy.ppks.map((ppk) => ({ ...ppk, id }));
    return expectPpkRefused(s, withPolicy({ ppks, ppkRequired: true }), id.length === 0);
  });
}
