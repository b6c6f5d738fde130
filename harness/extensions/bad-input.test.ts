import { expect } from "chai";
import type { PeerConfig } from "../../peers/contract.ts";
import { keMethod } from "../crypto/ke.ts";
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import { kePayload } from "../ike/exchanges/ike-sa-init.ts";
import type { Extension, IncomingMessage } from "../ike/hooks.ts";
import { errorNotify, notifies, notify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { sendRequest } from "../ike/send.ts";
import { sealMessage } from "../ike/sk.ts";
import { encodeChain, firstPayloadType } from "../wire/index.ts";
import { EXCHANGE, exchangeTypes } from "../wire/registry/exchange-types.ts";
import { KE } from "../wire/registry/ke.ts";
import { NOTIFY, notifyTypes } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import {
  BEFORE,
  type Change,
  changeLink,
  flipped,
  HYBRID,
  IN_A_SERIES,
  leftOut,
  longer,
  ofOtherMethod,
  PLAIN,
  type Row,
  shorter,
  spoils,
  twice,
  withData,
} from "./bad-input-rows.ts";
import { type Connected, connect, finished, inUse } from "./ppk-lab.ts";

const ecp384 = keMethod(KE.ECP384) ?? expect.fail("no ECP384");

/** The errors that `b` answered with, since so many messages were sent. */
const errorsOf = ({ sent }: Connected, since = 0): (string | undefined)[] =>
  sent
    .slice(since)
    .filter(({ end, isResponse }) => end === "b" && isResponse)
    .flatMap(({ payloads }) => {
      const error = errorNotify(payloads);
      return error ? [notifyTypes.nameOf(error.notifyType)] : [];
    });

/** With few retransmissions, as some bad input gets no answer. */
const begin = (
  { config = HYBRID, policy }: Pick<Row, "config" | "policy">,
  extension?: Extension,
  bad: "a" | "b" = "a",
) =>
  connect({
    ...{ config, fragmentation: {} },
    policies: { a: { retransmitTries: 2, ...policy }, b: policy ?? {} },
    extensions: (end) => (end === bad && extension ? [extension] : []),
  });

/** A new IKE SA with a Child SA comes up between the two. */
async function expectServed({ pair }: Connected): Promise<void> {
  const outcome = await finished<{ child?: unknown }>(pair, (done) =>
    pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, done),
  );
  expect(outcome?.child, "a Child SA of the next handshake").to.not.equal(undefined);
  for (const { endpoint } of [pair.a, pair.b]) expect(endpoint.core.halfOpen.waiting).to.equal(0);
}

describe("bad input to a responder", () => {
  for (const row of BEFORE) {
    it(`${row.what} in ${row.exchange} is answered with ${row.answer} (${row.text})`, async () => {
      const { nth, change, exchange, answer } = row;
      const lab = await begin(row, spoils(EXCHANGE[exchange], change, nth));
      expect(errorsOf(lab)).to.deep.equal([answer]);
      // Nothing protects an error in IKE_SA_INIT: the initiator goes on, and this time does it right.
      const atFirst = exchange === "IKE_SA_INIT";
      expect(lab.outcome.failure === undefined, "both SAs").to.equal(atFirst);
      expect(inUse(lab.pair)).to.have.length(atFirst ? 2 : 0);
      await expectServed(lab);
    });
  }

  for (const row of IN_A_SERIES) {
    it(`${row.what} in ${row.exchange} is answered with ${row.answer} (${row.text})`, async () => {
      const { nth, change, exchange, answer } = row;
      const lab = await begin(row, spoils(EXCHANGE[exchange], change, nth));
      const [child] = lab.sa?.children ?? [];
      if (!child) throw new Error("no Child SA");
      const since = lab.sent.length;
      const { a, b } = lab.pair;
      const result = await finished(lab.pair, (done) => a.endpoint.rekeyChild(child, {}, done));
      expect(errorsOf(lab, since)).to.deep.equal([answer]);
      expect(result).to.be.a("string");
      const lives = answer === "STATE_NOT_FOUND";
      expect([...b.endpoint.core.sas.values()].length, "IKE SAs").to.equal(lives ? 1 : 0);
      // What was held for the series is free.
      expect(b.endpoint.core.children().length, "Child SAs").to.equal(lives ? 1 : 0);
      await expectServed(lab);
    });
  }
});

/** A request of our own making on an established IKE SA; what the other end answers, undefined if nothing. */
async function ask({ pair, sa }: Connected, exchange: keyof typeof EXCHANGE, payloads: Payload[]) {
  if (!sa) throw new Error("no IKE SA");
  const answer = await finished<{ payloads: Payload[] } | undefined>(pair, (done) =>
    pair.a.endpoint.request(sa, EXCHANGE[exchange], payloads, done),
  );
  return answer?.payloads;
}

const namesOf = (payloads: Payload[] | undefined): string[] | undefined =>
  payloads?.map((p) => (p.kind === "Notify" ? (notifyTypes.nameOf(p.notifyType) ?? "") : p.kind));

/** Holds IKE_FOLLOWUP_KE back, and lets the command that began it forget it: the payloads of the request. */
async function heldBack(lab: Connected, command: (sa: IkeSa) => void): Promise<Payload[]> {
  const { pair, sa } = lab;
  if (!sa) throw new Error("no IKE SA");
  let request: Payload[] | undefined;
  const { extensions } = pair.a.options;
  const hold: Extension = {
    name: "hold",
    outgoing: (message) => {
      if (message.header.exchangeType !== EXCHANGE.IKE_FOLLOWUP_KE) return;
      request = message.payloads;
      message.octets = () => [];
    },
  };
  extensions.push(hold);
  command(sa);
  pair.a.settle();
  await pair.network.until(() => request !== undefined, 1000);
  extensions.splice(extensions.indexOf(hold), 1);
  sa.pending?.cancelTimer?.();
  sa.pending = undefined;
  sa.nextMessageId--;
  if (!request) throw new Error("no IKE_FOLLOWUP_KE");
  return request;
}

describe("a follow-up key exchange that a responder does not expect", () => {
  it("gets STATE_NOT_FOUND without a series (RFC 9370 section 2.2.4)", async () => {
    const lab = await begin({});
    const { publicValue } = ecp384.generate(lab.pair.a.options.random);
    const ke = kePayload(KE.ECP384, publicValue);
    const link = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, new Uint8Array(8));
    for (const payloads of [[], [ke], [link], [ke, link]])
      expect(namesOf(await ask(lab, "IKE_FOLLOWUP_KE", payloads))).to.deep.equal(["STATE_NOT_FOUND"]);
    await expectServed(lab);
  });

  it("gets STATE_NOT_FOUND for a link that was used already (RFC 9370 section 2.2.4)", async () => {
    const lab = await begin({});
    const [child] = lab.sa?.children ?? [];
    if (!child) throw new Error("no Child SA");
    const request = await heldBack(lab, () => lab.pair.a.endpoint.rekeyChild(child));
    const [first] = [await ask(lab, "IKE_FOLLOWUP_KE", request)];
    expect(namesOf(first)).to.deep.equal(["KE", "ADDITIONAL_KEY_EXCHANGE"]);
    expect(namesOf(await ask(lab, "IKE_FOLLOWUP_KE", request))).to.deep.equal(["STATE_NOT_FOUND"]);
    await expectServed(lab);
  });

  it("gets STATE_NOT_FOUND when its time is over (RFC 9370 section 2.2.4)", async () => {
    const lab = await begin({});
    const request = await heldBack(lab, (sa) => lab.pair.a.endpoint.rekeyIke(sa));
    lab.pair.network.run(21_000);
    expect(namesOf(await ask(lab, "IKE_FOLLOWUP_KE", request))).to.deep.equal(["STATE_NOT_FOUND"]);
    await expectServed(lab);
  });

  it("goes on where the Child SA that is rekeyed was deleted meanwhile (RFC 9370 section 2.2.4)", async () => {
    const lab = await begin({});
    const [child] = lab.sa?.children ?? [];
    if (!child) throw new Error("no Child SA");
    const request = await heldBack(lab, () => lab.pair.a.endpoint.rekeyChild(child));
    await finished<void>(lab.pair, (done) => lab.pair.a.endpoint.deleteChild(child, () => done()));
    const { random } = lab.pair.a.options;
    const answer = await ask(lab, "IKE_FOLLOWUP_KE", request);
    const [link] = notifies(answer ?? [], NOTIFY.ADDITIONAL_KEY_EXCHANGE);
    const { publicValue } = ecp384.generate(random);
    const last = [kePayload(KE.ECP384, publicValue), ...(link ? [link] : [])];
    expect(namesOf(await ask(lab, "IKE_FOLLOWUP_KE", last))).to.deep.equal(["KE"]);
    expect(lab.pair.b.endpoint.core.children().map(({ state }) => state)).to.deep.equal(["installed"]);
    await expectServed(lab);
  });

  it("finds the newest of 200 series that did not go on, and the responder keeps few of them", async () => {
    const lab = await begin({});
    const { a, b } = lab.pair;
    await finished(lab.pair, (done) => lab.sa && a.endpoint.createChild(lab.sa, {}, done));
    const before = b.endpoint.core.timers.size;
    const first = lab.sent.find(({ exchangeType }) => exchangeType === EXCHANGE.CREATE_CHILD_SA)?.payloads;
    let answer: Payload[] | undefined;
    for (let i = 0; i < 200; i++) {
      const again = (first ?? []).map((p) => (p.kind === "Nonce" ? { ...p, data: a.options.random(32) } : p));
      answer = await new Promise((done) => {
        lab.sa && a.endpoint.request(lab.sa, EXCHANGE.CREATE_CHILD_SA, again, (r) => done(r?.payloads));
        a.settle();
        lab.pair.network.run(10);
      });
    }
    expect(b.endpoint.core.timers.size - before).to.be.within(1, 8);
    expect(b.endpoint.core.children()).to.have.length(2);
    const [link] = notifies(answer ?? [], NOTIFY.ADDITIONAL_KEY_EXCHANGE);
    const payloads = [kePayload(KE.ML_KEM_768, new Uint8Array(1184)), ...(link ? [link] : [])];
    expect(namesOf(await ask(lab, "IKE_FOLLOWUP_KE", payloads))).to.deep.equal([
      "KE",
      "ADDITIONAL_KEY_EXCHANGE",
    ]);
    lab.pair.network.run(60_000);
    expect(b.endpoint.core.timers.size).to.equal(before);
    await expectServed(lab);
  });

  it("gets INVALID_IKE_SPI in clear after the IKE SA was deleted (RFC 7296 section 1.5)", async () => {
    const lab = await begin({});
    const { pair, sa } = lab;
    const request = await heldBack(lab, (on) => pair.a.endpoint.rekeyIke(on));
    if (!sa?.outbound) throw new Error("no keys");
    await finished<void>(pair, (done) => pair.a.endpoint.deleteIke(sa, () => done()));
    const { spiI, spiR, nextMessageId: messageId, outbound, local, remote } = sa;
    const header = { spiI, spiR, version: 0x20, flags: 8, exchangeType: EXCHANGE.IKE_FOLLOWUP_KE, messageId };
    const inner = encodeChain(request);
    const { random } = pair.a.options;
    const data = sealMessage(outbound, random, header, [], inner, firstPayloadType(request), {});
    const since = lab.sent.length;
    pair.b.take({ protocol: "udp", source: local, destination: remote, data });
    expect(errorsOf(lab, since)).to.deep.equal(["INVALID_IKE_SPI"]);
    expect(inUse(pair)).to.deep.equal([]);
    await expectServed(lab);
  });
});

/** What the initiator sent, by its exchange. */
const begunBy = ({ sent }: Connected, since = 0): (string | undefined)[] =>
  sent
    .slice(since)
    .filter(({ end, isResponse }) => end === "a" && !isResponse)
    .map(({ exchangeType }) => exchangeTypes.nameOf(exchangeType));

describe("bad input to an initiator", () => {
  const rounds: [string, Change][] = [
    ["a ciphertext that is too short", shorter],
    ["a ciphertext that is too long", longer],
    ["a method that was not negotiated", ofOtherMethod],
    ["two KE payloads", twice],
    ["no KE payload", leftOut],
  ];
  for (const [what, change] of rounds) {
    it(`${what} in IKE_INTERMEDIATE ends the attempt (RFC 9370 section 2.2.2)`, async () => {
      const lab = await begin({}, spoils(EXCHANGE.IKE_INTERMEDIATE, change), "b");
      expect(lab.outcome.failure).to.match(/^additional key exchange: /);
      expect(begunBy(lab)).to.deep.equal(["IKE_SA_INIT", "IKE_INTERMEDIATE"]);
      lab.pair.network.run(60_000);
      await expectServed(lab);
    });

    it(`${what} in IKE_FOLLOWUP_KE ends the IKE SA by Delete (draft-ietf-ipsecme-ikev2-mlkem section 2.2)`, async () => {
      const lab = await begin({}, spoils(EXCHANGE.IKE_FOLLOWUP_KE, change), "b");
      const [child] = lab.sa?.children ?? [];
      if (!child) throw new Error("no Child SA");
      const since = lab.sent.length;
      const result = await finished(lab.pair, (done) => lab.pair.a.endpoint.rekeyChild(child, {}, done));
      expect(result).to.match(/^additional key exchange: /);
      expect(begunBy(lab, since)).to.deep.equal(["CREATE_CHILD_SA", "IKE_FOLLOWUP_KE", "INFORMATIONAL"]);
      expect(inUse(lab.pair)).to.deep.equal([]);
      await expectServed(lab);
    });
  }

  it("a changed ciphertext changes the keys, and nothing comes of the IKE SA (FIPS 203 section 6.3)", async () => {
    const lab = await begin({}, spoils(EXCHANGE.IKE_INTERMEDIATE, withData(flipped)), "b");
    expect(lab.outcome.failure).to.equal("no answer to IKE_INTERMEDIATE");
    lab.pair.network.run(60_000);
    await expectServed(lab);
  });

  const series: [string, keyof typeof EXCHANGE, Change][] = [
    ["no link", "CREATE_CHILD_SA", changeLink(() => [])],
    ["no link though an exchange is to come", "IKE_FOLLOWUP_KE", changeLink(() => [])],
    ["STATE_NOT_FOUND", "IKE_FOLLOWUP_KE", () => [notify(NOTIFY.STATE_NOT_FOUND)]],
    ["an error", "IKE_FOLLOWUP_KE", () => [notify(NOTIFY.NO_PROPOSAL_CHOSEN)]],
  ];
  for (const [what, exchange, change] of series) {
    it(`${what} in ${exchange} ends the series alone (RFC 9370 section 2.2.4)`, async () => {
      const lab = await begin({}, spoils(EXCHANGE[exchange], change), "b");
      const [child] = lab.sa?.children ?? [];
      if (!child) throw new Error("no Child SA");
      const result = await finished(lab.pair, (done) => lab.pair.a.endpoint.rekeyChild(child, {}, done));
      expect(result).to.be.a("string");
      lab.pair.network.run(60_000);
      expect(inUse(lab.pair)).to.have.length(2);
      expect(lab.sa?.children).to.deep.equal([child]);
      await expectServed(lab);
    });
  }
});

/** Has the initiator do so many rounds, and no others, whatever was agreed on. */
const rounds = (count: number): Extension => ({
  name: "rounds",
  beforeAuth: (core, sa, done) => {
    const next = (left: number): void => {
      if (left === 0) return done();
      const answered = (response: IncomingMessage | undefined) =>
        response && !errorNotify(response.payloads) ? next(left - 1) : done("refused");
      sendRequest(core, sa, EXCHANGE.IKE_INTERMEDIATE, [], answered);
    };
    next(count);
    return true;
  },
});

describe("the course of IKE_INTERMEDIATE that a responder does not expect", () => {
  const cases: [string, string, Partial<PeerConfig>, number, string | undefined][] = [
    [
      "IKE_AUTH in its place gets AUTHENTICATION_FAILED",
      "RFC 9370 section 2.2.2",
      HYBRID,
      0,
      "AUTHENTICATION_FAILED",
    ],
    [
      "more of it than is agreed on gets INVALID_SYNTAX",
      "RFC 9242 section 5",
      { ...PLAIN, intermediate: true },
      9,
      "INVALID_SYNTAX",
    ],
    ["where nobody negotiated it, it gets no answer", "RFC 7296 section 2.21.4", PLAIN, 1, undefined],
  ];
  for (const [what, text, config, count, answer] of cases) {
    it(`${what} (${text})`, async () => {
      const lab = await begin({ config }, undefined);
      const since = lab.sent.length;
      const extension = rounds(count);
      const { a, b } = lab.pair;
      a.options.extensions.unshift(extension);
      const outcome = await finished<AuthOutcome>(lab.pair, (done) =>
        a.endpoint.connect(lab.pair.addresses.a, lab.pair.addresses.b, done),
      );
      expect(errorsOf(lab, since)).to.deep.equal(answer ? [answer] : []);
      expect(outcome?.failure).to.be.a("string");
      a.options.extensions.shift();
      lab.pair.network.run(60_000);
      expect(b.endpoint.core.halfOpen.waiting).to.equal(0);
      await expectServed(lab);
    });
  }
});
