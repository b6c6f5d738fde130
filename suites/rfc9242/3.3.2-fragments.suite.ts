import {
  ballast,
  beginner,
  type Cutter,
  changeOwn,
  EXCHANGE,
  eachCarrier,
  expectAuth,
  firstPayloadType,
  fragmentOwn,
  fragmentsAmong,
  intermediates,
  messagesReceived,
  NOTIFY,
  needFragmentation,
  needIntermediate,
  type PeerRole,
  proveBehind,
  require,
  type Script,
  test,
  Unsupported,
  withWrongIcv,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { IKE_INTERMEDIATE } = EXCHANGE;

const at = (set: Uint8Array[], ...numbers: number[]): Uint8Array[] =>
  numbers.flatMap((number) => set[number - 1] ?? []);

/** As what datagrams the tester's message goes out. */
const WAYS: Record<string, { arrange: (cut: Cutter) => Uint8Array[]; lies?: string[] }> = {
  "in-three-fragments": { arrange: (cut) => cut.set(3) },
  "as-the-only-fragment": { arrange: (cut) => cut.set(1) },
  "in-twelve-fragments-in-reverse": {
    arrange: (cut) => cut.set(12).reverse(),
    lies: ["joins-fragments-in-reverse"],
  },
  "in-fragments-with-duplicates": {
    arrange: (cut) => at(cut.set(3), 2, 2, 1, 2, 1, 3, 3),
    lies: ["fails-at-duplicate-fragments"],
  },
  "in-fragments-with-a-forged-one-among-them": {
    arrange: (cut) => {
      const set = cut.set(3);
      const forged = set.map(withWrongIcv);
      return [...at(set, 1), ...at(forged, 2), ...at(set, 2), ...at(forged, 3), ...at(set, 3)];
    },
    lies: ["fails-at-wrong-fragment-icv"],
  },
  "in-two-fragments-of-which-one-is-missing-and-then-in-three": {
    arrange: (cut) => [...at(cut.set(2), 1), ...cut.set(3)],
    lies: ["keeps-the-smaller-total"],
  },
};

for (const [way, { arrange, lies = ["drops-fragments"] }] of Object.entries(WAYS)) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      /**
       * The tester's IKE_INTERMEDIATE message for ${what} comes ${way}. The peer puts it together, and covers it as if it
       * had come whole: with the header of SK in the place of that of SKF, and lengths as for one message.
       */
      test(`covers-${what}-that-came-${way}-as-${peer}`, {
        requirements: ["INT-15", "INT-24", "INT-25"],
        peer,
        config: { ...config, fragmentation: true },
        lies: ["covers-skf-as-it-came", ...lies],
      }, async (s) => {
        changeOwn(s, peer, ({ payloads }) => payloads.push(ballast(120)));
        fragmentOwn(s, peer, arrange);
        await proveInFragments(s, peer);
      });
    }
  }
}

/** Both SAs behind such an exchange, with a peer that announced fragmentation. */
async function proveInFragments(s: Script, peer: PeerRole): Promise<void> {
  if (peer === "responder") return expectAuth(needFragmentation(needIntermediate(await s.init())));
  needFragmentation(await proveBehind(s, peer));
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * The tester sends its IKE_INTERMEDIATE message for ${what} whole and then in three fragments, as one does that hears no
     * answer. Whichever of them the peer takes, AUTH covers the same octets.
     */
    test(`covers-${what}-that-came-whole-and-then-in-fragments-as-${peer}`, {
      requirements: ["INT-24", "INT-25"],
      peer,
      config: { ...config, fragmentation: true },
      lies: ["leaves-intermediate-out-of-auth"],
    }, async (s) => {
      changeOwn(s, peer, ({ payloads }) => payloads.push(ballast(120)));
      fragmentOwn(s, peer, (cut) => [cut.whole(), ...cut.set(3)]);
      await proveInFragments(s, peer);
    });

    /**
     * The tester's IKE_INTERMEDIATE message for ${what} comes in three fragments, and behind each of them the second one of an
     * older cut, into two. The peer drops those (RFC 7383 section 2.6.1), and covers the message as if
     * it had come whole.
     */
    test(`covers-${what}-among-fragments-of-an-older-cut-as-${peer}`, {
      requirements: ["INT-24", "INT-25"],
      peer,
      config: { ...config, fragmentation: true },
      lies: ["restarts-at-a-smaller-total", "covers-skf-as-it-came"],
    }, async (s) => {
      changeOwn(s, peer, ({ payloads }) => payloads.push(ballast(120)));
      const arrange = (cut: Cutter) => {
        const [newer, older] = [cut.set(3), at(cut.set(2), 2)];
        return newer.flatMap((fragment) => [fragment, ...older]);
      };
      fragmentOwn(s, peer, arrange);
      await proveInFragments(s, peer);
    });

    /**
     * The tester's IKE_INTERMEDIATE message for ${what} comes in two fragments. RESERVED of SKF is 1 in the first and 2 in the
     * second; the rebuilt header of SK, which AUTH covers, has that of the first.
     */
    test(`takes-reserved-bits-of-the-first-fragment-of-${what}-as-${peer}`, {
      requirements: ["INT-26"],
      peer,
      config: { ...config, fragmentation: true },
      lies: ["covers-no-reserved-bits"],
    }, async (s) => {
      changeOwn(s, peer, (message) => {
        message.payloads.push(ballast(120));
        message.seal.reserved = 1;
      });
      s.extensions.unshift({
        name: "reserved bits",
        split: (message, inner, seal) => {
          const { header, isResponse, payloads } = message;
          const able = message.sa?.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED);
          const own = header.exchangeType === IKE_INTERMEDIATE && isResponse === (peer === "initiator");
          if (!own || !able) return undefined;
          const first = seal(inner.subarray(0, 60), firstPayloadType(payloads), { number: 1, total: 2 });
          message.seal.reserved = 2;
          return [first, seal(inner.subarray(60), 0, { number: 2, total: 2 })];
        },
      });
      await proveInFragments(s, peer);
    });
  }
}

for (const peer of ROLES) {
  /**
   * The peer's IKE_INTERMEDIATE message has a key of ML-KEM-1024, 1568 octets, which do not fit a packet of 1280. It
   * sends fragments, as is recommended; AUTH covers the message as it was before it was cut.
   * Note: libreswan sends a request whole at first, and fragments its repeats.
   */
  test(`covers-its-own-fragmented-message-whole-as-${peer}`, {
    requirements: ["INT-15", "INT-24"],
    peer,
    config: { fragmentation: true, ikeProposals: ["aes256-sha256-x25519-ke1_mlkem1024"] },
    lies: ["covers-fragments-apart"],
  }, async (s) => {
    await proveBehind(s, peer);
    const cut = fragmentsAmong(messagesReceived(s)).filter(
      ({ message }) => message.header.exchangeType === IKE_INTERMEDIATE,
    );
    if (cut.length > 1) return;
    const [exchange] = intermediates(s, peer);
    const by = beginner(peer);
    const octets = (by === "us" ? exchange?.response : exchange?.request)?.datagrams[0]?.length ?? 0;
    if (octets <= 1280) throw new Unsupported(`the peer's message has ${octets} octets`);
    s.tolerate(`a message of ${octets} octets came whole, which IP may have to fragment`);
  });
}

for (const peer of ROLES) {
  /**
   * Both messages of IKE_INTERMEDIATE have some thousand octets, ML-KEM-1024 and ballast of the tester, in fragments of
   * 200 octets of the tester's. AUTH covers all of them.
   */
  test(`covers-a-long-message-in-many-fragments-as-${peer}`, {
    requirements: ["INT-15", "INT-24", "INT-25"],
    peer,
    config: { fragmentation: true, ikeProposals: ["aes256-sha256-x25519-ke1_mlkem1024"] },
    lies: ["covers-skf-as-it-came", "drops-fragments"],
  }, async (s) => {
    s.fragmentation({ chunk: 200 });
    changeOwn(s, peer, ({ payloads }) => payloads.push(ballast(3000)));
    await proveInFragments(s, peer);
    require(intermediates(s, peer).length > 0, "an IKE_INTERMEDIATE exchange", "none");
  });
}
