/** A conversation for each planted fault that shows it, as short as it can be: for tests alone, never for the fuzzer. */
import type { EapMethodName } from "../../../harness/eap/types.ts";
import { deletePayload } from "../../../harness/ike/exchanges/informational.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notify } from "../../../harness/ike/payloads.ts";
import type { Script } from "../../../harness/script/script.ts";
import type { Session } from "../../../harness/script/session.ts";
import { concat, u16 } from "../../../harness/wire/bytes.ts";
import { EAP_CODE, EAP_TYPE } from "../../../harness/wire/registry/eap.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import type { Payload, Proposal, Transform, TsPayload } from "../../../harness/wire/types.ts";
import type { PeerConfig } from "../../contract.ts";
import { eachPayload, inMessage, without } from "../lies/tools.ts";

/** How the tester plays it. It does not mind what comes back. */
export interface TriggerTrace {
  config?: Partial<PeerConfig>;
  play(s: Script): Promise<unknown>;
}

type Change = (message: OutgoingMessage) => void;
const firstTransform = (change: (transform: Transform, proposal: Proposal) => void): Change =>
  eachPayload("SA", ({ proposals: [proposal] }) => {
    const [transform] = proposal?.transforms ?? [];
    if (proposal && transform) change(transform, proposal);
  });

const plus =
  (payload: Payload): Change =>
  (message) => {
    message.payloads.push(payload);
  };

const inRequest = (exchangeType: number, change: Change, play: TriggerTrace["play"]): TriggerTrace => ({
  play(s) {
    s.change(exchangeType, change);
    return play(s);
  },
});

const inResponse = (exchangeType: number, change: Change, play: TriggerTrace["play"]): TriggerTrace => ({
  play(s) {
    s.change(exchangeType, change, "response");
    return play(s);
  },
});

const dial: TriggerTrace["play"] = (s) => s.tryDial();
const INIT = EXCHANGE.IKE_SA_INIT;
const init = (change: Change): TriggerTrace => inRequest(INIT, change, (s) => s.tryInit());
const auth = (change: Change): TriggerTrace => inRequest(EXCHANGE.IKE_AUTH, change, dial);

/** The peer begins, and what we answer it is changed. */
const answer = (exchangeType: number, change: Change): TriggerTrace =>
  inResponse(exchangeType, change, async (s) => {
    await s.arena.driver.initiate();
    await s.wait();
  });

const SIGNED = { method: "signature", key: "ecdsa256" } as const;

/** A request within EAP is changed. */
const withinEap = (type: EapMethodName, change: Change): TriggerTrace => ({
  config: { auth: SIGNED, testerAuth: { method: "eap", type } },
  ...auth((message) => {
    if (message.payloads.some(({ kind }) => kind === "EAP")) change(message);
  }),
});

const eapData = (change: (data: Uint8Array) => Uint8Array): Change =>
  eachPayload("EAP", (eap) => {
    eap.data = change(eap.data);
  });

const established = (play: (session: Session, s: Script) => Promise<unknown>): TriggerTrace => ({
  play: async (s) => play(await s.dial(), s),
});

const inform =
  (...payloads: Payload[]) =>
  (session: Session): Promise<unknown> =>
    session.tryRequest(EXCHANGE.INFORMATIONAL, payloads);

const createChild = (change: Change): TriggerTrace =>
  inRequest(EXCHANGE.CREATE_CHILD_SA, change, async (s) => (await s.dial()).tryCreateChild());

const UNKNOWN_SPI = Uint8Array.of(0xde, 0xad, 0, 1);
const deletes = (...spis: Uint8Array[]) => deletePayload(PROTOCOL.ESP, spis);

const noSelector = (ts: TsPayload): void => {
  if (ts.type === PAYLOAD.TSi) ts.selectors = [];
};

const clear: Record<string, TriggerTrace> = {
  "dies-of-short-key-lengths": init(
    firstTransform((transform) => {
      transform.attributes = transform.attributes.map(({ type }) => ({ type, value: new Uint8Array(0) }));
    }),
  ),
  "spins-at-standing-proposals": init(
    firstTransform((_, proposal) => {
      proposal.length = 0;
    }),
  ),
  "waits-for-the-rest-of-cookies": init(plus(notify(NOTIFY.COOKIE, new Uint8Array(65)))),
  "bursts-about-groups-not-offered": init(
    eachPayload("KE", (ke) => {
      ke.group = 21;
    }),
  ),
  "bursts-about-unknown-exchanges": init((message) => {
    message.header = { ...message.header, exchangeType: 99 };
  }),
  "dies-of-stubs-of-ke": answer(
    INIT,
    eachPayload("KE", (ke) => {
      ke.data = ke.data.subarray(0, 2);
    }),
  ),
};

const firstSk: Record<string, TriggerTrace> = {
  "dies-without-one-selector": auth(without(PAYLOAD.TSr)),
  "passes-over-critical-payloads": auth(
    plus({ kind: "raw", type: 200, critical: true, data: new Uint8Array(4) }),
  ),
  "keeps-certificates-it-cannot-read": auth(
    plus({ kind: "CERTREQ", type: PAYLOAD.CERTREQ, encoding: 99, data: new Uint8Array(20) }),
  ),
  "compares-no-more-than-came": auth(
    eachPayload("AUTH", (proof) => {
      proof.data = proof.data.subarray(0, 1);
    }),
  ),
  "takes-unknown-methods-for-proof": answer(
    EXCHANGE.IKE_AUTH,
    eachPayload("AUTH", (proof) => {
      proof.method = 7;
    }),
  ),
  "spins-at-overrun-notifies": answer(
    EXCHANGE.IKE_AUTH,
    plus({ ...notify(NOTIFY.INITIAL_CONTACT), spiSize: 200 }),
  ),
};

const eap: Record<string, TriggerTrace> = {
  "dies-of-mschapv2-value-sizes": withinEap(
    "mschapv2",
    eapData((data) => data.map((octet, at) => (at === 5 ? 0 : octet))),
  ),
  "waits-for-less-than-no-tls": withinEap(
    "tls",
    eapData((data) => concat(Uint8Array.of(EAP_TYPE.TLS, 0x80), u16(0), u16(1), data.subarray(2))),
  ),
  "keeps-odd-naks": withinEap(
    "gtc",
    eapData(() => Uint8Array.of(EAP_TYPE.NAK)),
  ),
  "ends-eap-at-any-auth": withinEap("md5", (message) => {
    plus({ kind: "AUTH", type: PAYLOAD.AUTH, method: 2, data: new Uint8Array(32) })(message);
    // Else an honest peer lets us in by what EAP proves.
    eapData((data) => data.map((octet, at) => (at < 2 ? octet : octet ^ 1)))(message);
  }),
  "lets-the-other-end-declare-success": withinEap(
    "gtc",
    eachPayload("EAP", (packet) => {
      packet.code = EAP_CODE.SUCCESS;
    }),
  ),
  "spins-at-md5-challenges-of-no-size": {
    ...answer(
      EXCHANGE.IKE_AUTH,
      eapData(() => Uint8Array.of(EAP_TYPE.MD5_CHALLENGE, 0)),
    ),
    config: { auth: { method: "eap", type: "md5" }, testerAuth: SIGNED },
  },
};

const onEstablished: Record<string, TriggerTrace> = {
  "dies-of-overrun-deletes": established(inform({ ...deletes(UNKNOWN_SPI), spiCount: 9 })),
  "takes-no-selectors-for-its-own": createChild(eachPayload("TS", noSelector)),
  "keeps-notifies-of-unknown-protocols": established(inform({ ...notify(40_000), protocolId: 77 })),
  "spins-at-standing-selectors": createChild(
    eachPayload("TS", ({ selectors: [selector] }) => {
      if (selector) selector.length = 0;
    }),
  ),
  "forgets-the-last-sequence-number": established(async (session, s) => {
    const { tester: from, peer: to } = session.hosts;
    const echo = { from, to, identifier: 7, sequence: 1, data: new Uint8Array(8) };
    s.host.sendEcho(session.pipe(), echo, { octets: (packet) => [packet, packet] });
    await s.wait();
  }),
  "waits-for-a-nonce": inResponse(EXCHANGE.CREATE_CHILD_SA, without(PAYLOAD.NONCE), async (s) => {
    await s.accept();
    await s.arena.driver.rekeyChild();
    await s.wait();
  }),
};

/** Runs `more` on an IKE SA whose only Child SA we have deleted; it gets the SPI that was named. */
const afterDelete = (more: (session: Session, spi: Uint8Array, s: Script) => Promise<unknown>) =>
  established(async (session, s) => {
    const { spiIn } = session.child;
    await session.deleteChild();
    return more(session, spiIn, s);
  });

const order: Record<string, TriggerTrace> = {
  "dies-of-spis-it-has-freed": afterDelete((session, spi) => inform(deletes(spi))(session)),
  "keeps-deletes-after-a-rekey": established(async (session) =>
    inform(deletes(UNKNOWN_SPI))(await session.rekeyIke()),
  ),
  "waits-for-the-delete-it-knew": afterDelete((session) => {
    session.sa.nextMessageId--;
    return inform(notify(40_000))(session);
  }),
  "takes-short-nonces-after-a-delete": afterDelete((session, _, s) => {
    const shorten = eachPayload("Nonce", (nonce) => {
      nonce.data = nonce.data.subarray(0, 15);
    });
    s.change(EXCHANGE.CREATE_CHILD_SA, shorten);
    return session.tryCreateChild();
  }),
  "trusts-whom-it-knows": established((_, s) => {
    const turn = eachPayload("AUTH", (proof) => {
      proof.data = proof.data.map((octet) => octet ^ 1);
    });
    s.change(EXCHANGE.IKE_AUTH, turn);
    return s.tryDial();
  }),
  "spins-without-selectors-after-a-rekey": {
    async play(s) {
      const session = await s.accept();
      await session.peerRekeysIke();
      const answerBare = inMessage(EXCHANGE.CREATE_CHILD_SA, without(PAYLOAD.TSi), "response");
      s.change(EXCHANGE.CREATE_CHILD_SA, answerBare, "response");
      await s.arena.driver.rekeyChild();
      await s.wait();
    },
  },
};

export const triggerTraces: Readonly<Record<string, TriggerTrace>> = {
  ...{ ...clear, ...firstSk, ...eap, ...onEstablished, ...order },
};
