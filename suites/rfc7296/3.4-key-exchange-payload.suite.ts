import {
  Ambiguous,
  EXCHANGE,
  equal,
  expect,
  expectAlive,
  expectInitRefused,
  expectNotify,
  hasNotify,
  hex,
  ikeProposals,
  listPayloads,
  NOTIFY,
  notifies,
  type OutgoingMessage,
  payload,
  require,
  type Script,
  Session,
  test,
} from "../../harness/script/index.ts";

const octets = (length: number, last = 0): Uint8Array => {
  const value = new Uint8Array(length);
  value[length - 1] = last;
  return value;
};

/** Values that are their own powers: a peer that takes one has it as the shared secret. */
const BAD_VALUES: Record<string, Record<string, Uint8Array>> = {
  modp2048: { zero: octets(256), one: octets(256, 1) },
  x25519: { zero: octets(32) },
};
const BAD_LENGTHS: Record<string, Record<string, Uint8Array>> = {
  modp2048: { "255-octets": octets(255, 9), "257-octets": octets(257, 9), "no-octet": octets(0) },
  ecp256: { "63-octets": octets(63, 9), "65-octets": octets(65, 9) },
  x25519: { "31-octets": octets(31, 9), "33-octets": octets(33, 9) },
};

/** The peer's own public value in answer to ours, or to `data` in its place; undefined if it refuses that. */
async function exchangeKe(s: Script, data?: Uint8Array): Promise<Uint8Array | undefined> {
  const undo = s.change(EXCHANGE.IKE_SA_INIT, ({ payloads }) => {
    const ke = payload(payloads, "KE");
    if (ke && data) ke.data = data;
  });
  const { sa } = await s.tryInit();
  undo();
  s.host.endpoint.core.closeIke(sa, "the test is done with it");
  return payload(s.exchange(EXCHANGE.IKE_SA_INIT).response?.payloads ?? [], "KE")?.data;
}

for (const [group, values] of Object.entries(BAD_LENGTHS)) {
  for (const [what, data] of Object.entries(values)) {
    /** The public value in the tester's IKE_SA_INIT has the wrong length. It is dropped or refused; a good one works. */
    test(`refuses-a-${group}-value-of-${what}`, {
      requirements: ["IKEV2-253", "IKEV2-315"],
      peer: "responder",
      lies: ["takes-any-ke-value"],
      config: { ikeProposals: [`aes256-sha256-${group}`] },
    }, async (s) => {
      s.decide("unprotected error notify", "give up");
      const answer = await exchangeKe(s, data);
      require(answer === undefined, "no KE payload in answer to this", "one");
      await s.dial();
    });
  }
}

for (const [group, values] of Object.entries(BAD_VALUES)) {
  for (const [what, value] of Object.entries(values)) {
    /**
     * The public value in the tester's IKE_SA_INIT makes the same value the shared secret, whatever the peer's key.
     * The peer refuses it, at once or at the latest by not answering IKE_AUTH under the keys that come of it.
     * Note: RFC 6989 demands the check of those who use a key pair more than once and recommends it to the others;
     * a peer without it is tolerated if its own public values differ from exchange to exchange.
     */
    test(`refuses-the-${group}-value-${what}`, {
      requirements: ["IKEV2-312", "IKEV2-315", "IKEV2-318"],
      peer: "responder",
      lies: ["takes-any-ke-value"],
      config: { ikeProposals: [`aes256-sha256-${group}`] },
    }, async (s) => {
      s.decide("unprotected error notify", "give up");
      const answer = await establishWith(s, value);
      if (!answer) return void (await s.dial());
      const again = await exchangeKe(s);
      const fresh = again !== undefined && !equal(answer, again);
      require(fresh, "the value refused, or a key pair of one use", "neither");
      s.tolerate("it takes the value, but uses its key pair only once");
    });
  }
}

/** Sends this public value and goes on with it as the shared secret; gives the peer's value if IKE_AUTH succeeds. */
async function establishWith(s: Script, value: Uint8Array): Promise<Uint8Array | undefined> {
  let over = false;
  const undo = s.change(EXCHANGE.IKE_SA_INIT, ({ payloads }) => {
    const ke = payload(payloads, "KE");
    if (ke) ke.data = value;
  });
  s.extensions.push({
    name: "known secret",
    ikeKeys: (inputs) => {
      if (!over) inputs.sharedSecret = value;
    },
  });
  const { sa, failure } = await s.tryDial();
  over = true;
  undo();
  s.host.endpoint.core.closeIke(sa, "the test is done with it");
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  return failure === undefined ? payload(response?.payloads ?? [], "KE")?.data : undefined;
}

/** The peer initiates, and the public value of the answer has the wrong length. It must not go on with IKE_AUTH. */
test("refuses-a-value-of-the-wrong-length-in-an-answer", {
  requirements: ["IKEV2-253", "IKEV2-315"],
  peer: "initiator",
  lies: ["takes-any-ke-value"],
}, async (s) => {
  await expectInitRefused(s, ({ payloads }) => {
    const ke = payload(payloads, "KE");
    if (ke) ke.data = ke.data.subarray(1);
  });
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The public value in the request for another Child SA is no point of the curve: no Child SA comes of it. RFC 6989
   * section 2.5 asks for INVALID_SYNTAX.
   * Note: RFC 7296 section 3.10.1 lets NO_PROPOSAL_CHOSEN stand for any reason why there is no Child SA, and refers to
   * RFC 6989 for information only. Whoever answers so is on one of two defensible readings.
   */
  test(`refuses-a-bad-value-in-create-child-sa-as-${peer}`, {
    requirements: ["IKEV2-316"],
    peer,
    lies: ["takes-any-ke-value"],
    config: { espProposals: ["aes256gcm16-ecp256"] },
  }, async (s) => {
    const session = await s.establish(peer);
    s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
      const ke = payload(payloads, "KE");
      if (ke) ke.data = octets(64, 7);
    });
    await session.tryCreateChild();
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    if (hasNotify(response?.payloads ?? [], NOTIFY.NO_PROPOSAL_CHOSEN))
      throw new Ambiguous(
        "NO_PROPOSAL_CHOSEN by RFC 7296 section 3.10.1; RFC 6989 section 2.5: INVALID_SYNTAX",
      );
    expectNotify(response, NOTIFY.INVALID_SYNTAX);
  });
}

const MODP2048 = 14;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester rekeys the IKE SA with the groups 31 and 14 and a KE payload of group 31; the peer takes only 14. It
   * answers INVALID_KE_PAYLOAD with the group in two octets. With a KE payload of that group the rekey succeeds.
   */
  test(`names-its-group-for-an-ike-rekey-as-${peer}`, {
    requirements: ["IKEV2-015", "IKEV2-016", "IKEV2-256"],
    peer,
    lies: ["answers-a-wrong-group-with-no-proposal-chosen", "names-the-group-in-four-octets"],
    config: { ikeProposals: ["aes256-sha256-modp2048"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const made = await session.tryRekeyIke({ proposals: ikeProposals("aes256-sha256-x25519-modp2048") });
    const response = s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "us")[0]?.response;
    expectNotify(response, NOTIFY.INVALID_KE_PAYLOAD);
    const [named] = notifies(response?.payloads ?? [], NOTIFY.INVALID_KE_PAYLOAD);
    expect([...(named?.data ?? [])], "octets of INVALID_KE_PAYLOAD").to.deep.equal([0, MODP2048]);
    require(typeof made !== "string", "a new IKE SA", String(made));
    await expectAlive(new Session(s, made));
  });
}

/**
 * Three IKE_SA_INIT exchanges: each public value of the peer has the length of the modulus, and no two are the same.
 * Note: the text allows to use a key pair more than once (section 2.12); a peer that does so is tolerated.
 */
test("pads-its-values-to-the-length-of-the-modulus", {
  requirements: ["IKEV2-253"],
  peer: "responder",
  lies: ["shortens-its-ke-value"],
  config: { ikeProposals: ["aes256-sha256-modp2048"] },
}, async (s) => {
  const values = [await exchangeKe(s), await exchangeKe(s), await exchangeKe(s)];
  const last = s.exchange(EXCHANGE.IKE_SA_INIT).response;
  const lengths = values.map((v) => v?.length);
  require(lengths.every(
    (length) => length === 256,
  ), "256 octets each", `${lengths} in ${listPayloads(last)}`);
  if (new Set(values.map((v) => hex(v ?? new Uint8Array()))).size < 3) s.tolerate("it uses a key pair again");
});

/** The base point 9, once with the bit that is to be masked, and once as 9 above the prime 2^255 - 19. */
const ODD_NINES: Record<string, Uint8Array> = {
  "with-its-highest-bit-set": Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 : i === 31 ? 0x80 : 0)),
  "that-is-not-reduced": Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xf6 : i === 31 ? 0x7f : 0xff)),
};

for (const [what, value] of Object.entries(ODD_NINES)) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The tester's X25519 value is the base point in a form that a receiver must take for it, so that the shared secret
     * is the peer's own public value. Both SAs come up under the keys that come of this, and carry traffic.
     */
    test(`takes-an-x25519-value-${what}-as-${peer}`, {
      requirements: ["IKEV2-317"],
      peer,
      lies: ["insists-on-canonical-x25519-values"],
      config: { ikeProposals: ["aes256-sha256-x25519"] },
    }, async (s) => {
      const which = peer === "responder" ? "request" : "response";
      s.change(EXCHANGE.IKE_SA_INIT, (message) => setKe(message, value), which);
      let theirs = new Uint8Array();
      s.extensions.push({
        name: "the base point",
        incoming: ({ header, payloads }) => {
          const ke = payload(payloads, "KE");
          if (ke && header.exchangeType === EXCHANGE.IKE_SA_INIT) theirs = ke.data.slice();
          return undefined;
        },
        ikeKeys: (inputs) => {
          inputs.sharedSecret = theirs;
        },
      });
      await (await s.establish(peer)).proveTraffic();
    });
  }
}

function setKe({ payloads }: OutgoingMessage, value: Uint8Array): void {
  const ke = payload(payloads, "KE");
  if (ke) ke.data = value;
}
