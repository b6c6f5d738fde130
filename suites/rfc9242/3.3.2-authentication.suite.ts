import {
  Ambiguous,
  type AuthInputs,
  type AuthSpec,
  ballast,
  beginner,
  changeOwn,
  concat,
  EXCHANGE,
  eachCarrier,
  establishBehind,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  expectRounds,
  fitPadding,
  intermediates,
  needIntermediate,
  type OutgoingMessage,
  PAYLOAD,
  type PeerConfig,
  proveBehind,
  proveIfTaken,
  require,
  type Spoil,
  test,
  u32,
  unknownPayload,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** Ciphers with and without padding and ICV of their own, and PRFs with different lengths of key and output. */
const SUITES = [
  "aes256-sha512-prfsha512-x25519",
  "aes128-aesxcbc-prfaescmac-x25519",
  "aes256gcm16-prfsha256-x25519",
  "aes256gcm8-prfsha384-x25519",
  "chacha20poly1305-prfsha256-x25519",
  "3des-sha1-prfsha1-x25519",
];

for (const spec of SUITES) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      const more = config.intermediate ? "" : "-ke1_ecp256";
      /**
       * Under the transforms ${spec}, AUTH of both ends covers IKE_INTERMEDIATE for ${what}: header, header of SK and inner
       * payloads, as long as they are without IV, padding and ICV. Both SAs come up, and traffic passes.
       */
      test(`proves-itself-behind-${what}-under-${spec}-as-${peer}`, {
        requirements: ["INT-18", "INT-19", "INT-21", "INT-22", "INT-23"],
        peer,
        config: { ...config, ikeProposals: [`${spec}${more}`] },
        lies: ["covers-lengths-as-they-travel", "covers-padding", "swaps-requests-and-responses-in-auth"],
      }, async (s) => {
        await proveBehind(s, peer);
      });
    }
  }
}

const LOGIN = { method: "eap", type: "mschapv2" } as const;
const CERTIFICATE = { method: "signature", key: "rsa2048" } as const;
const SIGNATURE = { method: "signature", key: "ecdsa256" } as const;
const NULL = { method: "null" } as const;

/** How both ends prove themselves: the peer's way is the one for `auth`. */
const WAYS: Record<string, (peer: "responder" | "initiator") => Partial<PeerConfig>> = {
  "by-signatures": () => ({ auth: SIGNATURE, testerAuth: SIGNATURE }),
  "by-a-secret-and-a-signature": (peer) => oneWay(peer, { method: "psk" }),
  "by-eap": (peer) => oneWay(peer, LOGIN),
  "by-null": () => ({ auth: NULL, testerAuth: NULL, localId: "null:", remoteId: "null:" }),
};

/** The initiator proves itself in this way, the responder by its certificate. */
const oneWay = (peer: "responder" | "initiator", initiator: AuthSpec): Partial<PeerConfig> =>
  peer === "responder"
    ? { auth: CERTIFICATE, testerAuth: initiator }
    : { auth: initiator, testerAuth: CERTIFICATE };

for (const [way, configFor] of Object.entries(WAYS)) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      /**
       * Both ends prove themselves ${way} after IKE_INTERMEDIATE for ${what}. Every AUTH payload covers the same: where IKE_AUTH
       * has several rounds, the Message ID at the end is that of the first one.
       */
      test(`proves-itself-${way}-behind-${what}-as-${peer}`, {
        requirements: ["INT-18", "INT-20"],
        peer,
        config: { ...config, ...configFor(peer) },
        lies: [
          "covers-the-message-id-of-intermediate",
          ...(way === "by-eap" ? ["covers-the-message-id-of-the-last-round"] : []),
        ],
      }, async (s) => {
        await proveBehind(s, peer);
      });
    }
  }
}

/** Several key exchanges, each with keys of its own after it. */
const SEVERAL = {
  two: ["sha256", "ke1_ecp256-ke2_ecp384", [19, 20]],
  three: ["sha512", "ke1_ecp256-ke2_ecp384-ke3_modp3072", [19, 20, 15]],
} as const;

for (const [count, [prf, spec, methods]] of Object.entries(SEVERAL)) {
  for (const peer of ROLES) {
    /**
     * ${count} additional key exchanges change the keys after each IKE_INTERMEDIATE exchange, under ${prf}. Each exchange
     * is protected with the keys of before it, and covered with SK_p of those; a value goes into the next one. IKE_AUTH and
     * ESP have the last keys.
     */
    test(`covers-${count}-exchanges-with-their-own-keys-as-${peer}`, {
      requirements: ["INT-16", "INT-17", "INT-19", "INT-27"],
      peer,
      config: { ikeProposals: [`aes256-${prf}-x25519-${spec}`] },
      lies: ["covers-the-last-exchange-alone", "covers-with-the-first-keys", "covers-with-the-next-keys"],
    }, async (s) => {
      await proveBehind(s, peer);
      expectRounds(s, beginner(peer), methods);
    });
  }
}

/**
 * The tester runs two IKE_INTERMEDIATE exchanges without content, though one would do. The peer, which lets it choose, answers
 * both; AUTH covers both, and IKE_AUTH has Message ID 3.
 */
test("covers-two-empty-exchanges", {
  requirements: ["INT-19", "INT-23"],
  peer: "responder",
  config: { intermediate: true },
  lies: ["covers-the-last-exchange-alone", "leaves-out-the-header-of-an-empty-payload"],
}, async (s) => {
  const session = needIntermediate(await s.init());
  await session.request(EXCHANGE.IKE_INTERMEDIATE, []);
  const { failure, childFailure } = await s.tryAuth(session.sa);
  require(!failure && !childFailure, "both SAs", failure ?? childFailure ?? "");
  const count = intermediates(s, "responder").length;
  require(count === 2, "two exchanges", String(count));
  await session.proveTraffic();
});

for (const peer of ROLES) {
  /**
   * The tester's IKE_INTERMEDIATE message has nothing in SK, whose Next Payload is zero. Of the Encrypted payload its
   * generic header alone is covered, with a Payload Length of 4.
   */
  test(`covers-the-header-of-an-empty-payload-as-${peer}`, {
    requirements: ["INT-23"],
    peer,
    config: { intermediate: true },
    lies: ["leaves-out-the-header-of-an-empty-payload"],
  }, async (s) => {
    await proveBehind(s, peer);
    const [exchange] = intermediates(s, peer);
    const own = peer === "responder" ? exchange?.request : exchange?.response;
    require(own?.payloads.length === 0, "an empty message of the tester", "payloads");
  });

  for (const [what, config] of eachCarrier) {
    /**
     * IKE and ESP are in one TCP connection, where every message has the non-ESP marker in front (RFC 9329). AUTH covers
     * IKE_INTERMEDIATE for ${what} without it, and without the length in front of it.
     */
    test(`covers-${what}-without-its-frame-over-tcp-as-${peer}`, {
      requirements: ["INT-21"],
      peer,
      config: { ...config, transport: "tcp" },
      lies: ["covers-the-non-esp-marker"],
    }, async (s) => {
      await proveBehind(s, peer);
    });
  }
}

const PADDINGS = [0, 15];

for (const octets of PADDINGS) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      /**
       * The tester fills its IKE_INTERMEDIATE message for ${what} with a status notify that nobody knows, so that AES in CBC
       * mode needs exactly ${octets} octets of padding. AUTH covers none of them, nor Pad Length.
       */
      test(`covers-none-of-${octets}-octets-of-padding-of-${what}-as-${peer}`, {
        requirements: ["INT-22"],
        peer,
        config,
        lies: ["covers-padding", "covers-lengths-as-they-travel"],
      }, async (s) => {
        changeOwn(s, peer, (message) => fitPadding(message, octets));
        await proveBehind(s, peer);
      });
    }
  }
}

/** What a sender may do with its message, and a receiver must cover as it came. */
const CONTENTS: Record<string, { change: (message: OutgoingMessage) => void; lies: string[] }> = {
  "padding-that-nobody-needs": {
    change: (message) => {
      fitPadding(message, 15);
      message.seal.padding = new Uint8Array(15 + 7 * 16).map((_, i) => i * 5);
    },
    lies: ["covers-padding"],
  },
  "payloads-that-nobody-knows": {
    change: ({ payloads }) => {
      payloads.unshift(unknownPayload());
      payloads.push(unknownPayload());
    },
    lies: ["covers-known-payloads-alone"],
  },
  "reserved-bits-in-its-payloads": {
    change: (message) => {
      message.payloads.push(ballast(16));
      for (const p of message.payloads) {
        p.reserved = 0x55;
        if (p.kind === "KE") p.reserved2 = 0xa5a5;
      }
    },
    lies: ["covers-reserved-fields-as-zero"],
  },
  "reserved-bits-in-the-encrypted-payload": {
    change: ({ seal }) => {
      seal.reserved = 0x2a;
    },
    lies: ["covers-no-reserved-bits"],
  },
  "the-critical-bit-on-the-encrypted-payload": {
    change: ({ seal }) => {
      seal.critical = true;
    },
    lies: ["covers-no-critical-bit"],
  },
};

for (const [content, { change, lies }] of Object.entries(CONTENTS)) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      /**
       * The tester's IKE_INTERMEDIATE message for ${what} has ${content}, which the peer ignores (RFC 7296 sections 2.5, 3.2
       * and 3.14). AUTH covers the octets of header and inner payloads as they came, so a peer that makes them anew out of what
       * it understood must make the same.
       */
      test(`covers-${content}-in-${what}-as-${peer}`, {
        requirements: [content.includes("encrypted") ? "INT-21" : "INT-22"],
        peer,
        config,
        lies,
      }, async (s) => {
        changeOwn(s, peer, change);
        await proveBehind(s, peer);
      });
    }
  }
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * In front of SK the tester's IKE_INTERMEDIATE message for ${what} has a vendor id in clear. A peer that takes the message
     * covers all from the header of the message to that of SK, and so the vendor id: AUTH verifies.
     * Note: no document puts anything there. A peer that does not take such a message at all has the other reading.
     */
    test(`covers-a-payload-in-clear-in-front-of-${what}-as-${peer}`, {
      requirements: ["INT-21"],
      peer,
      config,
      lies: ["leaves-payloads-in-clear-uncovered"],
    }, async (s) => {
      const data = new TextEncoder().encode("ipsec-bakeoff in clear");
      changeOwn(s, peer, ({ clear }) => clear.push({ kind: "VendorID", type: PAYLOAD.VENDOR_ID, data }));
      if (!(await proveIfTaken(s, peer)))
        throw new Ambiguous("the peer takes no payloads in clear in front of SK");
    });
  }
}

/** What our own AUTH covers in the place of IntAuth. */
const WRONG: Record<string, (value: Uint8Array) => Uint8Array | undefined> = {
  "without-intermediate": () => undefined,
  "of-swapped-halves": (value) => concat(secondHalf(value), firstHalf(value), value.subarray(-4)),
  "of-requests-alone": (value) => concat(firstHalf(value), value.subarray(-4)),
  "with-another-message-id": (value) => concat(value.subarray(0, -4), u32(1)),
};

const firstHalf = (value: Uint8Array) => value.subarray(0, (value.length - 4) / 2);
const secondHalf = (value: Uint8Array) => value.subarray((value.length - 4) / 2, -4);

/** Our own AUTH covers IKE_INTERMEDIATE otherwise. */
const coverOtherwise =
  (peer: "responder" | "initiator", change: (value: Uint8Array) => Uint8Array | undefined): Spoil =>
  (s) => {
    let over = false;
    const authOctets = (inputs: AuthInputs): void => {
      if (over || inputs.of === peer || !inputs.IntAuth) return;
      const value = change(inputs.IntAuth);
      if (value) inputs.IntAuth = value;
      else delete inputs.IntAuth;
    };
    s.extensions.push({ name: "covers otherwise", authOctets });
    return () => {
      over = true;
    };
  };

for (const [how, change] of Object.entries(WRONG)) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      /**
       * After IKE_INTERMEDIATE for ${what} the tester's AUTH is ${how}. The peer refuses it, as a responder best with
       * AUTHENTICATION_FAILED; an attempt with the right one is served.
       */
      test(`refuses-an-auth-${how}-behind-${what}-as-${peer}`, {
        requirements: ["INT-18", "INT-19", "INT-20"],
        peer,
        config,
        lies: ["accepts-wrong-auth"],
      }, async (s) => {
        await establishBehind(s, peer);
        await s.arena.driver.reset();
        const spoil = coverOtherwise(peer, change);
        if (peer === "responder") await expectRefusedByResponder(s, spoil, `an AUTH ${how}`);
        else await expectRefusedByInitiator(s, spoil);
      });
    }
  }
}
