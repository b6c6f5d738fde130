import {
  EXCHANGE,
  expectIgnored,
  expectRefusedByResponder,
  fromHex,
  hasNotify,
  listPayloads,
  NOTIFY,
  notify,
  type OutgoingMessage,
  oursTo,
  payload,
  require,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

const ANNOUNCEMENTS = { "without-data": fromHex(""), "with-data": fromHex("0102030405060708") };

for (const [what, data] of Object.entries(ANNOUNCEMENTS)) {
  /**
   * The peer has no PPK. The tester's IKE_SA_INIT request has USE_PPK, ${what}. The peer ignores it (RFC 7296 section
   * 3.10.1) and does not return it, as that would promise a PPK; both SAs come up and carry traffic.
   */
  test(`as-responder-ignores-use-ppk-${what}`, {
    requirements: ["PPK-L1", "PPK-04", "PPK-05"],
    peer: "responder",
    lies: ["drops-messages-with-notifies-of-ppks", "announces-ppks-that-it-does-not-have"],
  }, async (s) => {
    s.change(EXCHANGE.IKE_SA_INIT, ({ payloads }) => payloads.push(notify(NOTIFY.USE_PPK, data)));
    const session = await s.dial();
    const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
    const promised = hasNotify(response?.payloads ?? [], NOTIFY.USE_PPK);
    require(!promised, "no USE_PPK of a peer without a PPK", listPayloads(response));
    await session.proveTraffic();
  });

  /**
   * The peer has no PPK, and initiates. The tester's IKE_SA_INIT response has USE_PPK all the same, ${what}. The peer ignores
   * it: IKE_AUTH has neither PPK_IDENTITY nor NO_PPK_AUTH, and both SAs come up and carry traffic.
   */
  test(`as-initiator-ignores-use-ppk-${what}`, {
    requirements: ["PPK-L1"],
    peer: "initiator",
    lies: ["drops-messages-with-notifies-of-ppks", "names-a-ppk-that-it-does-not-have"],
  }, async (s) => {
    const added = notify(NOTIFY.USE_PPK, data);
    s.change(EXCHANGE.IKE_SA_INIT, ({ payloads }) => payloads.push(added), "response");
    const session = await s.accept();
    const { request } = s.exchange(EXCHANGE.IKE_AUTH, "peer");
    const named = [NOTIFY.PPK_IDENTITY, NOTIFY.NO_PPK_AUTH].some((type) => hasNotify(request.payloads, type));
    require(!named, "IKE_AUTH without notifies about PPKs", listPayloads(request));
    await session.proveTraffic();
  });
}

/** PPK_IDs of all types, and what has no room for one. */
const IDENTITIES = {
  "of-a-fixed-ppk": fromHex("0270706b31"),
  "of-an-opaque-ppk": fromHex("01ff00ff00"),
  "of-an-unknown-type": fromHex("8070706b31"),
  "without-an-identifier": fromHex("02"),
  "without-data": fromHex(""),
};

for (const peer of ROLES) {
  for (const [what, data] of Object.entries(IDENTITIES)) {
    /**
     * Nothing about PPKs was negotiated. The tester's half of IKE_AUTH and of CREATE_CHILD_SA has PPK_IDENTITY, ${what}.
     * That is a status without a meaning here, which is ignored (RFC 7296 section 3.10.1): the Child SAs come up and carry
     * traffic.
     */
    test(`as-${peer}-ignores-a-ppk-identity-${what}`, {
      requirements: ["PPK-L1"],
      peer,
      lies: [
        "drops-messages-with-notifies-of-ppks",
        ...(peer === "responder" ? ["refuses-who-names-a-ppk"] : []),
      ],
    }, async (s) => {
      await expectIgnored(s, peer, notify(NOTIFY.PPK_IDENTITY, data));
    });
  }
}

const spoil = (data: Uint8Array): Uint8Array => data.map((octet) => octet ^ 0xff);

/**
 * Nothing about PPKs was negotiated. The tester's IKE_AUTH request has PPK_IDENTITY, and NO_PPK_AUTH with data that
 * prove nothing. Its AUTH payload is right, and nothing else counts: both SAs come up.
 */
test("takes-an-auth-payload-beside-a-wrong-no-ppk-auth", {
  requirements: ["PPK-L1", "PPK-L2"],
  peer: "responder",
  lies: ["takes-no-ppk-auth-for-auth", "drops-messages-with-notifies-of-ppks"],
}, async (s) => {
  s.change(EXCHANGE.IKE_AUTH, (message) => addNoPpkAuth(message, spoil));
  await (await s.dial()).proveTraffic();
});

/**
 * The other way round: the AUTH payload is wrong, and NO_PPK_AUTH has the data that would be right in it. Without USE_PPK in
 * IKE_SA_INIT it has no meaning, and the peer must not be convinced by it: it refuses the tester as anybody with a wrong
 * AUTH payload, best with AUTHENTICATION_FAILED.
 */
test("refuses-a-wrong-auth-payload-beside-a-right-no-ppk-auth", {
  requirements: ["PPK-L2"],
  peer: "responder",
  lies: ["takes-no-ppk-auth-for-auth"],
}, async (s) => {
  const swap = (message: OutgoingMessage) => {
    addNoPpkAuth(message, (data) => data);
    const auth = payload(message.payloads, "AUTH");
    if (auth) auth.data = spoil(auth.data);
  };
  await expectRefusedByResponder(
    s,
    () => s.change(EXCHANGE.IKE_AUTH, swap, oursTo("responder")),
    "the right data in NO_PPK_AUTH and wrong ones in AUTH",
  );
});

/** Adds PPK_IDENTITY, and NO_PPK_AUTH with what `change` makes of the data of AUTH. */
function addNoPpkAuth({ payloads }: OutgoingMessage, change: (data: Uint8Array) => Uint8Array): void {
  const auth = payload(payloads, "AUTH");
  if (!auth) return;
  const identity = notify(NOTIFY.PPK_IDENTITY, IDENTITIES["of-a-fixed-ppk"]);
  payloads.push(identity, notify(NOTIFY.NO_PPK_AUTH, change(auth.data)));
}
