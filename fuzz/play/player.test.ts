import { expect } from "chai";
import type { Link } from "../../harness/link/types.ts";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import type { Arena } from "../../harness/script/arena.ts";
import { MOST_OCTETS } from "../../harness/script/trace.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { PeerRole } from "../../peers/contract.ts";
import type { EspOperator, IkeOperator, LieContext, Operator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import type { Act, FuzzCase, Step } from "../trace.ts";
import { Player, type PlayerOptions } from "./player.ts";

type Apply = (message: Parameters<IkeOperator["apply"]>[0], context: LieContext) => boolean;

const operator = (name: string, apply: Apply): IkeOperator => ({
  ...{ name, family: "octets", effect: "for tests", on: "ike" },
  draw: () => ({}),
  apply: (message, _change, context) => apply(message, context),
});

const espOperator: EspOperator = {
  ...{ name: "spoil-esp", family: "esp", effect: "for tests", on: "esp" },
  draw: () => ({}),
  apply: (packet) => {
    packet.octets = (octets) => [octets.map((octet, i) => (i === octets.length - 1 ? octet ^ 1 : octet))];
    return true;
  },
};

const spoilt = (octets: Uint8Array): Uint8Array[] => [
  octets.map((octet, i) => (i === octets.length - 1 ? octet ^ 1 : octet)),
];

const operators = new Map<string, Operator>(
  [
    operator("add-vendor", ({ payloads }, { dice }) => {
      payloads.push({ kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: dice.octets(16) });
      return true;
    }),
    operator("spoil", (message) => {
      message.octets = spoilt;
      return true;
    }),
    operator("unfit", () => false),
    operator("throws", () => {
      throw new Error("a fault of the operator");
    }),
    operator("drop", (_message, { copies }) => {
      copies(0);
      return true;
    }),
    operator("twice", (_message, context) => {
      context.copies(2);
      return true;
    }),
    operator("hold", (_message, { hold }) => {
      hold();
      return true;
    }),
    operator("again", (_message, { sent, also }) => {
      for (const octets of sent[0] ?? []) also(octets, "before");
      return true;
    }),
    operator("no-offer", ({ payloads }) => {
      const offers = payloads.flatMap((payload) => (payload.kind === "SA" ? payload.proposals : []));
      for (const transform of offers.flatMap(({ transforms }) => transforms)) transform.id = 999;
      return true;
    }),
    espOperator,
  ].map((one) => [one.name, one]),
);

const step = (act: Act, ...ops: string[]): Step => ({
  act,
  ...(ops.length > 0 && { changes: ops.map((op) => ({ message: 0, op })) }),
});

let made = 0;
const caseOf = (steps: Step[], peer: PeerRole = "responder", seed = `case ${made++}`): FuzzCase => ({
  ...{ number: made, seed, stage: "init" },
  trace: { trace: 1, setup: "psk", peer, steps },
});

const open = (seed = "player"): Promise<Arena> => memoryArena({}, { seed });

async function play(fuzzCase: FuzzCase, arena?: Arena, options: PlayerOptions = {}): Promise<Outcome> {
  return new Player(arena ?? (await open()), { operators, ...options }).play(fuzzCase);
}

const endsOf = ({ steps }: Outcome): string[] => steps.map(({ ended }) => ended);

function octetsOf({ entries }: Outcome): string[] {
  return entries.flatMap(({ event }) => (event.type === "datagram-sent" ? [hex(event.datagram.data)] : []));
}

const FIVE: readonly Act[] = ["init", "auth", "create-child", "informational", "delete-ike"];

describe("a player with a peer that answers", () => {
  it("plays every act to its end", async () => {
    const acts: Act[] = ["init", "auth", "create-child", "rekey-child", "informational", "esp", "rekey-ike"];
    const outcome = await play(
      caseOf([...acts, "esp", "delete-child", "delete-ike"].map((act) => step(act as Act))),
    );
    expect(new Set(endsOf(outcome))).to.deep.equal(new Set(["done"]));
    expect(outcome.probe).to.equal("answered");
    expect(outcome.claims.map(({ authentic }) => authentic)).to.deep.equal([true, true]);
    expect(outcome.steps[5]?.answers).to.deep.equal(["ESP echo reply"]);
    expect(outcome.unproven.out).to.be.above(outcome.unproven.in);
  });

  it("changes each message of five, and goes on with the others", async () => {
    const arena = await open();
    for (const changed of FIVE.keys()) {
      const steps = FIVE.map((act, i) => (i === changed ? step(act, "add-vendor") : step(act)));
      const outcome = await play(caseOf(steps), arena);
      expect(endsOf(outcome)).to.deep.equal(FIVE.map(() => "done"));
      expect(outcome.claims[0]?.authentic).to.equal(changed > 1);
    }
    for (const changed of [2, 3]) {
      const steps = FIVE.map((act, i) => (i === changed ? step(act, "spoil") : step(act)));
      const ends = endsOf(await play(caseOf(steps), arena));
      expect(ends).to.deep.equal(FIVE.map((_, i) => (i === changed ? "silence" : "done")));
    }
  });

  it("waits for one that is known to have ended no longer than it takes to look", async () => {
    const deaf = async (ended?: () => boolean): Promise<Outcome> => {
      const arena = await open();
      arena.link.send = () => {};
      Object.assign(arena.driver, { ended });
      return play(caseOf([step("init", "spoil")]), arena);
    };
    const [dead, silent] = [await deaf(() => true), await deaf(() => false)];
    expect([dead.probe, silent.probe]).to.deep.equal(["silence", "silence"]);
    expect(dead.durationMs).to.be.below(500);
    expect(silent.durationMs).to.be.above(30_000);
  });

  it("tells refusal, silence, and what could not begin", async () => {
    const arena = await open();
    const refused = await play(caseOf([step("init", "no-offer"), step("auth")]), arena);
    expect(endsOf(refused)).to.deep.equal(["refused", "not begun"]);
    expect(refused.steps[0]?.answers.join()).to.contain("N(NO_PROPOSAL_CHOSEN)");
    const early = await play(caseOf([step("auth"), step("init"), step("create-child"), step("auth")]), arena);
    expect(endsOf(early)).to.deep.equal(["not begun", "done", "silence", "done"]);
    const late = await play(caseOf([...FIVE.map((act) => step(act)), step("informational")]), arena);
    expect(late.steps.at(-1)?.answers).to.deep.equal(["unused INFORMATIONAL response N(INVALID_IKE_SPI)"]);
  });

  it("drops, repeats, holds and adds messages", async () => {
    const arena = await open();
    const dropped = await play(
      caseOf([step("init"), step("auth"), step("informational", "drop"), step("delete-ike")]),
      arena,
    );
    expect(endsOf(dropped)).to.deep.equal(["done", "done", "silence", "done"]);
    expect(dropped.messages).to.equal(3);
    const held = await play(caseOf([step("init", "hold"), step("auth")]), arena);
    expect(held.steps[0]?.ended).to.equal("silence");
    expect(octetsOf(held).filter((octets) => octets.includes("21202208"))).to.have.length.above(1);
    const twice = await play(caseOf([step("init"), step("auth", "twice", "again")]), arena);
    expect(endsOf(twice)).to.deep.equal(["done", "done"]);
    expect(octetsOf(twice).filter((octets) => octets === octetsOf(twice)[0])).to.have.length(2);
  });

  it("records what does not fit, and spoils ESP", async () => {
    const outcome = await play(
      caseOf([
        step("init", "unfit", "throws", "unknown"),
        step("auth"),
        step("esp", "spoil-esp"),
        step("esp", "add-vendor"),
      ]),
    );
    expect(outcome.steps[0]?.unfit).to.deep.equal(["0 unfit", "0 throws", "0 unknown"]);
    expect(endsOf(outcome)).to.deep.equal(["done", "done", "silence", "done"]);
    expect(outcome.steps[3]?.unfit).to.deep.equal(["0 add-vendor"]);
  });

  it("shows every message before it is changed", async () => {
    const seen: string[] = [];
    const sees: PlayerOptions["sees"] = (place, message) =>
      seen.push(`${place.step}.${place.message} ${"payloads" in message ? message.payloads.length : "esp"}`);
    await play(caseOf([step("init", "add-vendor"), step("auth"), step("esp")]), undefined, { sees });
    expect(seen).to.deep.equal(["0.0 6", "1.0 6", "2.0 esp"]);
  });

  it("sends the same octets for the same seed", async () => {
    const steps = [
      step("init", "add-vendor"),
      step("auth"),
      step("rekey-ike", "spoil"),
      step("create-child"),
    ];
    const [one, other] = [
      await play(caseOf(steps, "responder", "s")),
      await play(caseOf(steps, "responder", "s")),
    ];
    expect(octetsOf(one)).to.deep.equal(octetsOf(other));
  });

  it("has the same outcomes with four conversations at once", async () => {
    const cases = Array.from({ length: 12 }, (_, i) =>
      caseOf([
        step("init", ...(i % 3 === 0 ? ["no-offer"] : [])),
        step("auth", ...(i % 4 === 1 ? ["spoil"] : [])),
      ]),
    );
    const outcomes = async (window: number) => {
      const left = [...cases];
      const found = new Map<number, Outcome["steps"]>();
      const player = new Player(await open(), { operators, window });
      await player.playAll(
        () => left.shift(),
        (outcome) => void found.set(outcome.case.number, outcome.steps),
      );
      expect(await player.handshake()).to.equal(undefined);
      return cases.map(({ number }) => found.get(number));
    };
    expect(await outcomes(4)).to.deep.equal(await outcomes(1));
  });
});

describe("a player with a peer that begins", () => {
  it("plays every act to its end", async () => {
    const acts: Act[] = ["peer-initiate", "peer-esp", "peer-rekey-child", "peer-rekey-ike", "informational"];
    const steps = [...acts, "peer-delete-child", "peer-delete-ike"].map((act) => step(act as Act));
    const outcome = await play(caseOf(steps, "initiator"));
    expect(new Set(endsOf(outcome))).to.deep.equal(new Set(["done"]));
    expect(outcome.unproven).to.deep.equal({ out: 0, in: 0 });
  });

  it("changes our responses, and begins afresh after each", async () => {
    const player = new Player(await open(), { operators, peer: "initiator" });
    const refused = await player.play(
      caseOf([step("peer-initiate", "no-offer"), step("create-child")], "initiator"),
    );
    expect(refused.steps[0]?.ended).to.equal("silence");
    expect(await player.handshake()).to.equal(undefined);
    const rekeyed = await player.play(
      caseOf([step("peer-initiate"), step("peer-rekey-child", "spoil")], "initiator"),
    );
    expect(endsOf(rekeyed)).to.deep.equal(["done", "silence"]);
    expect(await player.handshake()).to.equal(undefined);
  });
});

/** The arena with another link. */
const over = (arena: Arena, change: (link: Link) => Partial<Link>): Arena => ({
  ...arena,
  link: { ...arena.link, ...change(arena.link) },
});

describe("a player with a bad peer", () => {
  it("ends a case by silence where nobody is answered", async () => {
    const mute = over(await open(), () => ({ send: () => {} }));
    const outcome = await play(caseOf([step("init", "add-vendor"), step("auth")]), mute);
    expect(outcome.probe).to.equal("silence");
    expect(endsOf(outcome)).to.deep.equal(["silence", "not begun"]);
    expect(await new Player(mute, { operators }).handshake()).to.contain("init: silence");
  });

  it("keeps no more of a flood than fits", async () => {
    const arena = await open();
    let take: Parameters<Link["onReceive"]>[0] = () => {};
    const flooding = over(arena, (link) => ({
      onReceive: (handler) => {
        take = handler;
        link.onReceive(handler);
      },
      send: (datagram) => {
        link.send(datagram);
        const data = new Uint8Array(60_000);
        data.set(datagram.data.subarray(0, 24));
        const back = { ...datagram, source: datagram.destination, destination: datagram.source, data };
        arena.world.clock.at(arena.world.clock.now() + 1, () => {
          for (let i = 0; i < 300; i++) take(back);
        });
      },
    }));
    const outcome = await play(caseOf([step("init", "add-vendor"), step("auth")]), flooding);
    const octets = outcome.entries.map(({ event }) =>
      event.type === "datagram-received" ? event.datagram.data.length : 0,
    );
    expect(octets.reduce((sum, n) => sum + n, 0)).to.be.below(MOST_OCTETS);
    expect(outcome.steps[0]?.answers.length).to.be.below(10);
  });
});
