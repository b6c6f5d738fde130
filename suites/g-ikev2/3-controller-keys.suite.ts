import {
  afterInband,
  dataKeymatLength,
  encrTransforms,
  equal,
  expect,
  expectNoFindings,
  furtherMember,
  GROUP,
  type GroupMember,
  group,
  groupBags,
  hex,
  identity,
  joined,
  KWA,
  MEMBER_KEY_BAG_ATTRIBUTE,
  memberValues,
  PROTOCOL,
  type RekeyLog,
  require,
  type Script,
  saKeys,
  saPolicies,
  schemeByName,
  suiteOf,
  TRANSFORM,
  TRANSFORM_ATTRIBUTE,
  test,
  transformsOfType,
  wrappedKeys,
  wrappingOf,
} from "../../harness/script/index.ts";

/** Octets of the keys of KW_5649_*. */
const WRAPPING: Record<number, number> = {
  [KWA.KW_5649_128]: 16,
  [KWA.KW_5649_192]: 24,
  [KWA.KW_5649_256]: 32,
};

/**
 * The tester registers. Each SA of the policy has a key bag with one SA_KEY of Key ID 0, wrapped by the default key,
 * which is made of SK_d and the label. KEYMAT has exactly the octets that the transforms need.
 */
test("wraps-keys-of-the-right-length-by-the-default-key", {
  requirements: ["G-IKEV2-65", "G-IKEV2-95", "G-IKEV2-96"],
  peer: "responder",
  config: group({ data: ["aes128gcm16-unspec32", "aes256-sha256-unspec32"] }),
  lies: [
    "wraps-group-keys-with-another-key",
    "makes-keys-too-long",
    "gives-sa-keys-an-id",
    "wraps-data-keys-by-another-id",
    "gives-the-rekey-key-twice",
  ],
}, async (s) => {
  const { granted } = await joined(s);
  const wrapping = wrappingOf(granted.sa);
  require(wrapping !== undefined, "a key wrap algorithm", "none");
  for (const { protocolId, spi, transforms } of saPolicies(granted.response)) {
    const bags = groupBags(granted.response, protocolId).filter((bag) => equal(bag.spi, spi));
    const keys = bags.flatMap(saKeys);
    expect(
      keys.map(({ keyId, kwkId }) => [keyId, kwkId]),
      `Key ID and KWK ID for ${hex(spi)}`,
    ).to.deep.equal([[0, 0]]);
    const KEYMAT = wrapping.kwa.unwrap(wrapping.GSK_w, keys[0]!.encryptedKey);
    const [kwa] = transforms.filter(({ type }) => type === TRANSFORM.KWA);
    const octets = dataKeymatLength(suiteOf(transforms) ?? {}) + (WRAPPING[kwa?.id ?? 0] ?? 0);
    expect(KEYMAT?.length, `octets of KEYMAT for ${hex(spi)}`).to.equal(octets);
  }
});

/** The group has several data SAs with the same counting cipher. No two have the same key (section 2.5.1). */
test("gives-each-data-sa-a-key-of-its-own", {
  requirements: ["G-IKEV2-55"],
  peer: "responder",
  config: group({ data: ["aes128gcm16-unspec32", "aes128gcm16-unspec32", "aes128gcm16-unspec32"] }),
  lies: ["gives-all-data-sas-one-key"],
}, async (s) => {
  const { member } = await joined(s);
  expectNoFindings(member);
  const keys = member.membership().data.map(({ KEYMAT }) => hex(KEYMAT));
  expect(keys.length, "data SAs").to.equal(3);
  expect(new Set(keys).size, "different keys").to.equal(3);
});

/**
 * The group's ciphers have keys of up to 256 bits. The keys that wrap theirs are not shorter: those of the key wrap
 * algorithm of the IKE SA, and of the Rekey SA.
 */
test("wraps-keys-by-keys-that-are-not-shorter", {
  requirements: ["G-IKEV2-64"],
  peer: "responder",
  config: group({ data: ["aes256gcm16-unspec32"] }),
  lies: ["wraps-by-shorter-keys"],
}, async (s) => {
  const { granted, member } = await joined(s);
  expectNoFindings(member);
  const policies = saPolicies(granted.response);
  const ciphers = policies.flatMap((p) => transformsOfType(p, TRANSFORM.ENCR));
  const longest = Math.max(...ciphers.map(({ id, attributes }) => keyOctets(id, attributes[0]?.value)));
  const wraps = policies
    .flatMap((p) => transformsOfType(p, TRANSFORM.KWA))
    .map(({ id }) => WRAPPING[id] ?? 0);
  for (const octets of [...wraps, wrappingOf(granted.sa)?.kwa.keyLength ?? 0])
    if (octets < longest) s.tolerate(`wraps keys of ${longest} octets by keys of ${octets}`);
});

const keyOctets = (id: number, bits: number | Uint8Array | undefined): number =>
  (typeof bits === "number" ? bits : (encrTransforms.get(id)?.keyBits?.[0] ?? 0)) / 8;

const PSS = hex(schemeByName("rsa-pss-sha256").algorithmIdentifier).slice(4, 26);

for (const rekey of ["ed25519", "rsa-pss", "ecdsa-p256"] as const) {
  /**
   * The group's rekeys are signed with ${rekey}. At registration come one AUTH_KEY, a SubjectPublicKeyInfo that agrees
   * with the algorithm in GCAUTH, and that algorithm as attribute 18. A key for RSASSA-PSS has its parameters.
   */
  test(`hands-out-the-key-that-verifies-${rekey}`, {
    requirements: ["G-IKEV2-80", "G-IKEV2-99"],
    peer: "responder",
    config: group({ rekey }),
    lies: [
      "conceals-the-signature-algorithm",
      "keeps-the-auth-key",
      "gives-two-auth-keys",
      "gives-an-auth-key-of-another-kind",
      ...(rekey === "rsa-pss" ? ["gives-auth-keys-of-pss-without-parameters"] : []),
    ],
  }, async (s) => {
    const { granted, member, log } = await joined(s);
    const [policy] = saPolicies(granted.response, PROTOCOL.GIKE_UPDATE);
    const gcauth = policy ? transformsOfType(policy, TRANSFORM.GCAUTH) : [];
    const named = gcauth.flatMap(({ attributes }) => attributes.map(({ type }) => type));
    expect(named, "attributes of GCAUTH").to.deep.equal([TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER]);
    const keys = memberValues(granted.response, MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY);
    expect(keys.length, "AUTH_KEY").to.equal(1);
    const text = typeof keys[0] === "number" ? "" : hex(keys[0]!);
    if (text.includes(PSS)) expect(text, "AUTH_KEY with parameters").to.include(`${PSS}30`);
    await log.afterRekey("data");
    expectNoFindings(member);
  });
}

/**
 * The group has a key tree. At registration the keys on the way to the tester's own come as WRAP_KEYs: none has Key ID 0,
 * and they lead from the default key to the one SA_KEY of the Rekey SA.
 */
test("leads-a-member-through-the-key-tree", {
  requirements: ["G-IKEV2-96", "G-IKEV2-98"],
  peer: "responder",
  config: group({ keyTree: 2 }),
  lies: ["gives-wrapping-keys-id-zero", "gives-the-rekey-key-twice"],
}, async (s) => {
  const { granted, member } = await joined(s);
  const ids = wrappedKeys(memberValues(granted.response, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY)).map(
    ({ keyId }) => keyId,
  );
  expect(ids, "Key IDs of WRAP_KEYs").to.not.include(0);
  const keys = groupBags(granted.response, PROTOCOL.GIKE_UPDATE).flatMap(saKeys);
  expect(keys.length, "SA_KEYs of the Rekey SA").to.equal(1);
  expectNoFindings(member);
});

const EIGHT = ["tester.example", ..."bcdefgh".split("").map((letter) => `${letter}.example`)];

async function eight(s: Script): Promise<{ log: RekeyLog; members: GroupMember[] }> {
  const { member, log } = await joined(s);
  const others = EIGHT.slice(1).map((name, index) => furtherMember(s, name, `192.0.2.${index + 101}`));
  for (const other of others) await other.register();
  return { log, members: [member, ...others] };
}

const newest = (member: GroupMember): string =>
  hex(
    member.member.membership(identity(GROUP))?.data.findLast(({ state }) => state === "installed")?.KEYMAT ??
      new Uint8Array(),
  );

/**
 * Eight members are in a group with a key tree. The controller is told to exclude the sixth. The excluding GSA_REKEY brings a
 * Rekey SA that it cannot have, wrapped several times with the same KEYMAT, and no data SA; those come on the new Rekey
 * SA. The other seven have the new keys then, and the sixth has not.
 */
test("excludes-one-of-eight-by-the-key-tree", {
  requirements: ["G-IKEV2-66", "G-IKEV2-69"],
  peer: "responder",
  config: group({ keyTree: 2, members: EIGHT }),
  lies: [
    "excludes-and-gives-data-keys-at-once",
    "keeps-the-keys-of-excluded-members",
    "wraps-other-keys-for-others",
  ],
}, async (s) => {
  const { log, members } = await eight(s);
  const before = newest(members[0]!);
  const [excluding] = await log.after((driver) => driver.exclude(GROUP, "f.example"));
  const shown = saPolicies(excluding?.payloads ?? [], PROTOCOL.ESP);
  expect(shown.length, "data SAs in the excluding message").to.equal(0);
  await s.until(() => newest(members[0]!) !== before);
  await s.wait();
  const keys = members.map(newest);
  expect(keys[0], "new keys").to.not.equal(before);
  for (const [index, key] of keys.entries()) {
    if (index === 5) expect(key, "keys of the excluded member").to.not.equal(keys[0]);
    else expect(key, `keys of ${EIGHT[index]}`).to.equal(keys[0]);
  }
});

const THREE = EIGHT.slice(0, 3);

/** The data that the members have got out of the group's ESP. */
const read = (members: GroupMember[]): string[][] =>
  members.map(({ events }) =>
    events.flatMap((event) => (event.type === "data" ? [new TextDecoder().decode(event.data)] : [])),
  );

/**
 * A sender and two receivers are in a group with a key tree. Both receivers read what is sent; then the controller is told
 * to exclude one of them. What is sent after that the other one reads alone.
 */
test("takes-the-data-of-the-group-from-an-excluded-member", {
  requirements: ["G-IKEV2-66"],
  peer: "responder",
  config: group({ keyTree: 2, members: THREE }),
  lies: ["keeps-the-keys-of-excluded-members"],
}, async (s) => {
  const { log, member: sender } = await joined(s, { sender: true });
  const receivers = THREE.slice(1).map((name, index) => furtherMember(s, name, `192.0.2.${index + 101}`));
  for (const receiver of receivers) await receiver.register();
  const send = async (text: string) => {
    sender.member.send(identity(GROUP), new TextEncoder().encode(text));
    s.host.settle();
    await s.wait();
  };
  await send("before");
  expect(read(receivers), "data before the exclusion").to.deep.equal([["before"], ["before"]]);
  await log.after((driver) => driver.exclude(GROUP, "c.example"));
  await sender.expects("rekeyed");
  await s.wait();
  await send("after");
  expect(read(receivers), "data after the exclusion").to.deep.equal([["before", "after"], ["before"]]);
});

/** The controller is told to exclude the tester, which registers again. It may not. */
test("does-not-let-an-excluded-member-in-again", {
  requirements: ["G-IKEV2-28"],
  peer: "responder",
  config: group({ rekey: "inband", members: ["tester.example", "other.example"] }),
  lies: ["lets-strangers-in"],
}, async (s) => {
  const { member } = await joined(s);
  await afterInband(s, (driver) => driver.exclude(GROUP, "tester.example"), 0);
  const { response } = await member.tryRegisterMore();
  require(groupBags(response).length === 0, "no keys for an excluded member", "keys");
});
