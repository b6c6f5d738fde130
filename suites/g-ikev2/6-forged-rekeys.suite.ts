import { generateKeyPairSync, sign } from "node:crypto";
import {
  AUTH_METHOD,
  type DataSa,
  type DeletePayload,
  expectFollows,
  expectReads,
  expectRekeyDropped,
  expectUnread,
  fromHex,
  type GroupController,
  group,
  notify,
  type OutgoingRekey,
  onlySa,
  PAYLOAD,
  PROTOCOL,
  putU16,
  rekeySa,
  rekeyWith,
  test,
  withMember,
} from "../../harness/script/index.ts";

const ED448 = fromHex("300506032b6571");
const LENGTHS = { message: 26, payload: 30 };
/** IV, Pad Length and ICV of AES-GCM with the least padding. */
const ENCRYPTION = 8 + 1 + 16;

const forger = generateKeyPairSync("ed25519").privateKey;

function signAsForger(message: OutgoingRekey): void {
  let covered = new Uint8Array();
  message.signedOctets = (octets) => {
    covered = octets.slice();
    return octets;
  };
  message.signature = () => new Uint8Array(sign(null, covered, forger));
}

/** Signs header and payload header with the lengths that they have when the message is sent. */
function signUnadjusted(message: OutgoingRekey): void {
  message.signedOctets = (octets) => {
    const signed = octets.slice();
    putU16(signed, LENGTHS.message, octets.length + ENCRYPTION);
    return putU16(signed, LENGTHS.payload, octets.length - 28 + ENCRYPTION);
  };
}

function authenticateBySecret(message: OutgoingRekey): void {
  message.signed = false;
  const data = new Uint8Array(32).fill(0x5a);
  message.payloads.push({ kind: "AUTH", type: PAYLOAD.AUTH, method: AUTH_METHOD.SHARED_KEY_MIC, data });
}

interface Forgery {
  change: (message: OutgoingRekey) => void;
  lie: string;
  requirement: string;
}

const signature = (change: Forgery["change"]): Forgery => ({
  ...{ change, lie: "takes-rekeys-with-any-signature", requirement: "G-IKEV2-39" },
});

const FORGERIES: Record<string, Forgery> = {
  "a-signature-of-another-key": signature(signAsForger),
  "a-signature-over-unadjusted-lengths": signature(signUnadjusted),
  "a-signature-without-its-last-octet": signature((message) => {
    message.signature = (octets) => octets.subarray(0, -1);
  }),
  "no-signature-in-auth": signature((message) => {
    message.signature = () => new Uint8Array(0);
  }),
  "no-auth": {
    ...{ lie: "takes-rekeys-without-auth", requirement: "G-IKEV2-B3" },
    change: (message) => {
      message.signed = false;
    },
  },
  "another-algorithm-identifier": {
    ...{ lie: "takes-rekeys-of-any-algorithm", requirement: "G-IKEV2-B3" },
    change: (message) => {
      message.algorithmIdentifier = ED448;
    },
  },
  "a-shared-key-mac": {
    ...{ lie: "takes-rekeys-of-any-algorithm", requirement: "G-IKEV2-B3" },
    change: authenticateBySecret,
  },
};

for (const [what, { change, lie, requirement }] of Object.entries(FORGERIES)) {
  /**
   * The group signs its GSA_REKEY with Ed25519. One comes that is sealed with the keys of the Rekey SA, as every member
   * could do it, with ${what}. The member drops it in silence and keeps its SAs; it takes the next good one. Note: a
   * shared-key MAC was once to authenticate GSA_REKEY, too. The working group gave that up (decision S3 of March
   * 2022): only digital signatures and implicit authentication are left.
   */
  test(`drops-a-rekey-with-${what}`, {
    requirements: [requirement],
    peer: "initiator",
    config: group(),
    lies: [lie],
  }, async (s) => {
    await expectRekeyDropped(await withMember(s), change);
  });
}

for (const rekey of ["rsa-pss", "ecdsa-p256"] as const) {
  /**
   * The group signs its GSA_REKEY by ${rekey}. One comes whose signature has a bit turned round: the member drops it in
   * silence and keeps its SAs. It takes the next good one.
   */
  test(`drops-a-rekey-with-a-broken-signature-of-${rekey}`, {
    requirements: ["G-IKEV2-39"],
    peer: "initiator",
    config: group({ rekey }),
    lies: ["takes-rekeys-with-any-signature"],
  }, async (s) => {
    await expectRekeyDropped(await withMember(s), (message) => {
      message.signature = (octets) => octets.with(-1, (octets.at(-1) ?? 0) ^ 1);
    });
  });
}

/**
 * Implicit authentication: who has the keys of the Rekey SA is believed, and GSA_REKEY has no AUTH. One with AUTH is not
 * of this group's controller: the member drops it and keeps its SAs.
 */
test("drops-a-rekey-with-auth-in-spite-of-implicit-authentication", {
  requirements: ["G-IKEV2-B3"],
  peer: "initiator",
  config: group({ rekey: "implicit" }),
  lies: ["takes-auth-in-spite-of-implicit-authentication"],
}, async (s) => {
  await expectRekeyDropped(await withMember(s), (message) => {
    message.signed = true;
  });
});

/**
 * A good GSA_REKEY comes to the member's own address instead of that of the group. Its Rekey SA is for the group's
 * address alone: the member drops it and keeps its SAs.
 */
test("drops-a-rekey-that-comes-to-its-own-address", {
  requirements: ["G-IKEV2-B3"],
  peer: "initiator",
  config: group(),
  lies: ["takes-rekeys-from-anywhere"],
}, async (s) => {
  await expectRekeyDropped(await withMember(s), (message) => {
    message.octets = (datagram) => {
      s.sendOctets(datagram);
      return [];
    };
  });
});

const deleteOf =
  (protocolId: number, ...spis: Uint8Array[]) =>
  (): DeletePayload => ({
    ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId },
    ...{ spiSize: spis[0]?.length ?? 0, spis },
  });

/** Deletes that are about none of the member's SAs; `sa` is the one that it has. */
const DELETES: Record<string, (sa: DataSa) => DeletePayload> = {
  "an-unknown-spi": deleteOf(PROTOCOL.ESP, fromHex("deadbeef")),
  "an-spi-of-3-octets": ({ spi }) => deleteOf(PROTOCOL.ESP, spi.subarray(0, 3))(),
  "3-octets-of-zero": deleteOf(PROTOCOL.ESP, new Uint8Array(3)),
  "its-spi-under-another-protocol": ({ spi }) => deleteOf(PROTOCOL.AH, spi)(),
  "its-spi-under-no-protocol": ({ spi }) => deleteOf(0, spi)(),
  "a-rekey-sa-of-4-octets-of-zero": deleteOf(PROTOCOL.GIKE_UPDATE, new Uint8Array(4)),
  "another-rekey-sa": deleteOf(PROTOCOL.GIKE_UPDATE, new Uint8Array(16).fill(0xab)),
  "1000-unknown-spis": deleteOf(
    PROTOCOL.ESP,
    ...Array.from({ length: 1000 }, (_, at) => Uint8Array.of(222, 173, at >> 8, at & 255)),
  ),
};

for (const [what, make] of Object.entries(DELETES)) {
  /**
   * A good GSA_REKEY has nothing but a Delete of ${what}. None of the member's SAs has that name: data on its SA are
   * delivered as before, and it takes the next good GSA_REKEY.
   */
  test(`keeps-its-sas-at-a-delete-of-${what}`, {
    requirements: ["G-IKEV2-B3"],
    peer: "initiator",
    config: group(),
    lies: ["takes-any-delete-for-one-of-all-data-sas"],
  }, async (s) => {
    const gc = await withMember(s);
    const sa = onlySa(gc);
    await expectRekeyDropped(gc, (message) => {
      message.payloads = [make(sa)];
    });
  });
}

const used = (gc: GroupController): number => rekeySa(gc).nextMessageId;

const OLD_NUMBERS: Record<string, (next: number) => number> = {
  "the-last-number": (next) => next - 1,
  "the-number-before-the-last": (next) => next - 2,
  "number-zero": () => 0,
};

for (const [what, numberOf] of Object.entries(OLD_NUMBERS)) {
  /**
   * After three good GSA_REKEY another one comes, signed and with new content, under ${what}. It is no copy, but stale:
   * the member drops it and keeps its SAs. The next one with a fresh number is taken.
   */
  test(`drops-other-content-under-${what}`, {
    requirements: ["G-IKEV2-46"],
    peer: "initiator",
    config: group(),
    lies: ["takes-stale-rekeys"],
  }, async (s) => {
    const gc = await withMember(s);
    const { fresh } = await rekeyWith(gc, () => {}, 3);
    await expectReads(gc, "the third GSA_REKEY to be taken", fresh);
    const next = used(gc);
    await expectRekeyDropped(gc, (message) => {
      message.messageId = numberOf(next);
    });
  });
}

/**
 * The Message ID leaps by 2^31, as it may: it only has to be above the last one, and is unsigned. The member takes the
 * message. What comes with a number from before the leap is stale then.
 */
test("takes-a-rekey-whose-number-leaps-by-2-to-the-31", {
  requirements: ["G-IKEV2-46"],
  peer: "initiator",
  config: group(),
  lies: ["reads-rekey-numbers-as-signed", "takes-stale-rekeys"],
}, async (s) => {
  const gc = await withMember(s);
  const { fresh } = await rekeyWith(gc, (message) => {
    message.messageId += 2 ** 31;
  });
  await expectReads(gc, "a GSA_REKEY with a far higher number to be taken", fresh);
  const { fresh: stale } = await rekeyWith(gc, () => {});
  await expectUnread(gc, "a GSA_REKEY from before the leap", stale);
  rekeySa(gc).nextMessageId += 2 ** 31;
  await expectFollows(gc);
});

const FLOOD = 300;

const FLOODS: Record<string, (datagram: Uint8Array, at: number) => Uint8Array> = {
  "wrong-icvs": (datagram, at) =>
    datagram.with(-1 - (at % 16), (datagram.at(-1 - (at % 16)) ?? 0) ^ (1 + (at & 0x7f))),
  "messages-cut-short": (datagram, at) => {
    const cut = datagram.slice(0, Math.max(33, datagram.length - 1 - at));
    putU16(cut, LENGTHS.message, cut.length);
    return putU16(cut, LENGTHS.payload, cut.length - 28);
  },
  "wrong-lengths": (datagram, at) => putU16(datagram.slice(), LENGTHS.payload, 0xffff - at),
  "other-exchange-types": (datagram, at) => datagram.with(18, at % 41),
};

for (const [what, spoil] of Object.entries(FLOODS)) {
  /**
   * ${FLOOD} datagrams with ${what} come to the group's address with the SPI of its Rekey SA, as anybody can send them.
   * The member drops all, answers none, and keeps its SAs. It takes the next good GSA_REKEY.
   */
  test(`drops-a-flood-of-${what}`, {
    requirements: ["G-IKEV2-B3"],
    peer: "initiator",
    config: group(),
    lies: ["stops-at-the-100th-bad-rekey"],
  }, async (s) => {
    await expectRekeyDropped(await withMember(s), (message) => {
      message.octets = (datagram) => Array.from({ length: FLOOD }, (_, at) => spoil(datagram, at));
    });
  });
}

/** Large enough to be sent in fragments, where all members can put them together. */
const ballast = () => notify(40_960, new Uint8Array(3000));

/**
 * Of 20 signed GSA_REKEY only the first fragment comes, as somebody with the keys of the Rekey SA could send them. The
 * member cannot ask for the others. It must not wait for them so that it has no room for more: the next GSA_REKEY in
 * fragments is taken.
 */
test("puts-a-rekey-together-behind-many-unfinished-ones", {
  requirements: ["G-IKEV2-41"],
  peer: "initiator",
  config: group(),
  lies: ["keeps-unfinished-rekeys-for-ever"],
}, async (s) => {
  const gc = await withMember(s);
  await rekeyWith(
    gc,
    (message) => {
      message.payloads.push(ballast());
      let count = 0;
      message.octets = (datagram) => (count++ === 0 ? [datagram] : []);
    },
    20,
  );
  const { fresh } = await rekeyWith(gc, (message) => {
    message.payloads.push(ballast());
  });
  await expectReads(gc, "the peer to take the GSA_REKEY that came whole", fresh);
});
