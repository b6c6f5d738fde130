import {
  BROKEN_WRAPS,
  concat,
  controllerOf,
  type Damage,
  damageGrants,
  expectFollows,
  expectServesMember,
  expectUnread,
  group,
  inMemberBag,
  MEMBER_KEY_BAG_ATTRIBUTE,
  onlySa,
  PATHS_TO_NOWHERE,
  rekeySa,
  rekeyWith,
  type SaKey,
  SHORT_WRAPS,
  STRANGE_BAGS,
  test,
  WRONG_IDS,
  WRONG_LENGTHS,
  withMember,
  withPath,
  withSaKey,
  wrappingOf,
} from "../../harness/script/index.ts";

/** Keys that a member may take for those of the SA that has none, besides the right ones. */
const guesses = (KEYMAT: Uint8Array): Uint8Array[] => [
  KEYMAT,
  new Uint8Array(KEYMAT.length),
  concat(KEYMAT.subarray(0, -1), new Uint8Array(1)),
];

const SA_KEYS: Record<string, { keys: Record<string, SaKey>; lie: string }> = {
  "a-wrap-with": { keys: BROKEN_WRAPS, lie: "overlooks-the-integrity-of-wraps" },
  "a-wrap-of": { keys: SHORT_WRAPS, lie: "takes-short-wraps-for-zeros" },
  "a-wrap-around": { keys: WRONG_LENGTHS, lie: "makes-keys-of-any-length-fit" },
  "a-wrapped-key-with": { keys: WRONG_IDS, lie: "overlooks-key-ids" },
};

for (const [kind, { keys, lie }] of Object.entries(SA_KEYS))
  for (const [what, make] of Object.entries(keys)) {
    /**
     * The key bag of the data SA in the answer to a registration has ${kind} ${what}. The member must not install the
     * SA: nothing is delivered that is sent on it, neither with the right keys nor with what a careless reader could
     * make of these. It may register again. Once it gets good keys, data are delivered.
     */
    test(`installs-nothing-out-of-${kind}-${what}`, {
      requirements: ["G-IKEV2-B2"],
      peer: "initiator",
      config: group(),
      lies: [lie],
    }, async (s) => {
      const gc = await controllerOf(s);
      const over = damageGrants(s, (payloads, sa) => {
        const wrapping = wrappingOf(sa);
        return wrapping ? withSaKey(make(wrapping, onlySa(gc).KEYMAT))(payloads) : payloads;
      });
      await gc.registers();
      for (const KEYMAT of guesses(onlySa(gc).KEYMAT))
        await expectUnread(gc, what, { ...onlySa(gc), KEYMAT });
      over();
      await expectServesMember(gc);
    });

    /**
     * A GSA_REKEY that is authentic and new has ${kind} ${what} for the new data SA. The member must not install it.
     * It takes the next good GSA_REKEY.
     */
    test(`installs-nothing-out-of-a-rekey-with-${kind}-${what}`, {
      requirements: ["G-IKEV2-B2"],
      peer: "initiator",
      config: group(),
      lies: [lie],
    }, async (s) => {
      const gc = await withMember(s);
      const { fresh } = await rekeyWith(gc, (message) => {
        const value = make(rekeySa(gc).wrapping, onlySa(gc).KEYMAT);
        message.payloads = withSaKey(value)(message.payloads);
      });
      for (const KEYMAT of guesses(fresh.KEYMAT)) await expectUnread(gc, what, { ...fresh, KEYMAT });
      await expectFollows(gc);
    });
  }

for (const [what, damage] of Object.entries(STRANGE_BAGS)) {
  /**
   * Policy and keys of a registration do not belong together: for the data SA there is ${what}. The member must not
   * install the SA. Once it gets policy and keys that agree, data are delivered.
   */
  test(`installs-nothing-with-${what}`, {
    requirements: ["G-IKEV2-B2"],
    peer: "initiator",
    config: group(),
    lies: [what === "no-key-bag" ? "hangs-at-sas-without-keys" : "matches-key-bags-by-their-order"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const over = damageGrants(s, damage);
    await gc.registers();
    await expectUnread(gc, what);
    over();
    await expectServesMember(gc);
  });
}

/** So that only a GSA_REKEY can bring keys of data SAs, not the next registration. */
const withoutDataKeys = withSaKey(new Uint8Array(16));

const AUTH_KEYS: Record<string, Damage> = {
  "no-auth-key": inMemberBag(MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY, () => []),
  "two-auth-keys": inMemberBag(MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY, (values) => [...values, ...values]),
  "an-auth-key-that-is-none": inMemberBag(MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY, () => [new Uint8Array(44)]),
  "an-auth-key-cut-short": inMemberBag(MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY, (values) =>
    values.map((value) => (typeof value === "number" ? value : value.subarray(0, -1))),
  ),
};

for (const [what, damage] of Object.entries(AUTH_KEYS)) {
  /**
   * The group signs its GSA_REKEY, and the key download of the registration has ${what} to verify them. Note: who
   * takes the first of two keys harms nobody. Otherwise nothing that the member gets can prove a GSA_REKEY: it follows
   * none. Once it got a good answer, it does.
   */
  test(`follows-no-rekey-with-${what}`, {
    requirements: ["G-IKEV2-B2"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-bad-auth-keys"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const over = damageGrants(s, (payloads) => withoutDataKeys(damage(payloads)));
    await gc.registers();
    const { fresh } = await rekeyWith(gc, () => {});
    if (what !== "two-auth-keys") await expectUnread(gc, what, fresh);
    over();
    await expectServesMember(gc);
    await expectFollows(gc);
  });
}

for (const [what, links] of Object.entries(PATHS_TO_NOWHERE)) {
  /**
   * The keys of the Rekey SA come under a key of a tree, and ${what} leads from there to what the member has. It
   * cannot follow GSA_REKEY, and must not be caught in looking for a way. It may register again. Once it got a good
   * answer, it follows.
   */
  test(`follows-no-rekey-where-the-way-to-its-keys-is-${what}`, {
    requirements: ["G-IKEV2-B2"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-key-paths-to-nowhere"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const over = damageGrants(s, (payloads, sa) => {
      const wrapping = wrappingOf(sa);
      const damage = wrapping && withPath(links, wrapping, rekeySa(gc).KEYMAT);
      return damage ? withoutDataKeys(damage(payloads)) : payloads;
    });
    await gc.registers();
    const { fresh } = await rekeyWith(gc, () => {});
    await expectUnread(gc, what, fresh);
    over();
    await expectServesMember(gc);
    await expectFollows(gc);
  });
}
