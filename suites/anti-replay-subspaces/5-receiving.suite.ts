import {
  type Divided,
  establishDivided,
  expectEcho,
  expectNoEcho,
  expectTraffic,
  replies,
  repliesToCopies,
  require,
  sendEcho,
  subspaceNumber,
  test,
} from "../../harness/script/index.ts";

const told = { espProposals: ["aes256gcm16-esn", "aes128-sha512-esn"] };
const ROLES = ["responder", "initiator"] as const;

/** Up to four subspaces that the peer receives, the last one among them. */
const someOf = ({ limit }: Divided): number[] =>
  [...new Set([0, 1, 2, limit - 1])].filter((subspace) => subspace < limit);

for (const peer of ROLES) {
  /**
   * The tester sends one packet with the same low number in several subspaces: each subspace has its own window and
   * takes it. Packets of one subspace may be far ahead of those of another.
   */
  test(`as-${peer}-has-a-window-for-each-subspace`, {
    requirements: ["ARS-07", "ARS-08"],
    peer,
    lies: ["keeps-one-window-for-all-subspaces"],
    config: told,
  }, async (s) => {
    const divided = await establishDivided(s, peer);
    const all = someOf(divided);
    const packets = [
      ...all.map((subspace) => [subspace, 1] as const),
      ...all.slice(1).map((subspace) => [subspace, 100_000] as const),
      [0, 2] as const,
    ];
    for (const [subspace, number] of packets) {
      const sequence = subspaceNumber(subspace, number);
      await expectEcho(divided.session, `number ${number} of subspace ${subspace}`, { sequence });
    }
  });

  /** Of two subspaces that are 100,000 numbers apart, as two cores can be, fifty packets each arrive in turn: none is lost. */
  test(`as-${peer}-loses-nothing-of-two-subspaces-far-apart`, {
    requirements: ["ARS-08"],
    peer,
    lies: ["keeps-one-window-for-all-subspaces"],
    config: told,
  }, async (s) => {
    const { session, limit } = await establishDivided(s, peer);
    const other = limit > 1 ? 1 : 0;
    await expectTraffic(session, "the Child SA came up");
    const sent = Array.from({ length: 50 }, (_, i) => [
      sendEcho(session, { sequence: subspaceNumber(0, 200_000 + i) }),
      ...(other === 1 ? [sendEcho(session, { sequence: subspaceNumber(1, 100_000 + i) })] : []),
    ]).flat();
    const missing = () => sent.filter((echo) => replies(session, echo) === 0).length;
    await s.until(() => missing() === 0);
    require(missing() === 0, `${sent.length} echo replies`, `${missing()} are missing`);
  });

  /** A packet that comes twice is delivered once, whatever its subspace; and so is a number used before. */
  test(`as-${peer}-drops-replays-in-each-subspace`, {
    requirements: ["ARS-08"],
    peer,
    lies: ["delivers-replays-in-subspaces"],
    config: told,
  }, async (s) => {
    const divided = await establishDivided(s, peer);
    const { session } = divided;
    const used = someOf(divided).map((subspace) => ({ sequence: subspaceNumber(subspace, 500) }));
    for (const how of used) await expectEcho(session, `number 500 of subspace ${how.sequence >> 48n}`, how);
    session.pipe().outbound.counter = 520n;
    await expectNoEcho(session, "number 500 again", ...used);
    require((await repliesToCopies(session, 3)) === 1, "one reply to three copies", "another number");
  });

  /**
   * Subspaces at and above the limit that the peer announced, sealed as any other packet: they are dropped, and the SA
   * goes on.
   */
  test(`as-${peer}-drops-packets-of-subspaces-beyond-its-limit`, {
    requirements: ["ARS-09"],
    peer,
    lies: ["takes-any-subspace", "stops-at-unknown-subspaces"],
    config: told,
  }, async (s) => {
    const { session, limit } = await establishDivided(s, peer);
    await expectTraffic(session, "the Child SA came up");
    const beyond = [limit, limit + 1, 65_535].filter((subspace) => subspace >= limit && subspace <= 65_535);
    const all = beyond.map((subspace) => ({ sequence: subspaceNumber(subspace, 1) }));
    await expectNoEcho(session, `a subspace at or above ${limit}`, ...all);
  });

  /**
   * Forged packets, with a wrong ICV, name every subspace and high numbers. Nothing is kept for them: afterwards every
   * subspace still takes its number 1.
   */
  test(`as-${peer}-keeps-nothing-for-forged-packets`, {
    requirements: ["ARS-11"],
    peer,
    lies: ["opens-windows-before-icv"],
    config: told,
  }, async (s) => {
    const divided = await establishDivided(s, peer);
    const { session, limit } = divided;
    for (let subspace = 0; subspace < Math.min(limit, 500); subspace++)
      for (const number of [2, 1000, 2 ** 47])
        sendEcho(session, { sequence: subspaceNumber(subspace, number), corruptIcv: true });
    await s.wait();
    for (const subspace of someOf(divided))
      await expectEcho(session, `number 1 of subspace ${subspace}`, {
        sequence: subspaceNumber(subspace, 1),
      });
  });

  /** The numbers of a subspace have 48 bits: 0 is never sent and not taken, and 2^48 - 1 is the last. */
  test(`as-${peer}-takes-numbers-of-48-bits-but-zero`, {
    requirements: ["ARS-08"],
    peer,
    lies: ["takes-number-zero-in-subspaces", "reads-numbers-of-32-bits"],
    config: told,
  }, async (s) => {
    const { session } = await establishDivided(s, peer);
    await expectNoEcho(session, "number 0", { sequence: subspaceNumber(0, 0) });
    for (const number of [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 48 - 1])
      await expectEcho(session, `number ${number}`, { sequence: subspaceNumber(0, number) });
  });
}
