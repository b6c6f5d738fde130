import {
  expectIgnored,
  type NotifyPayload,
  notify,
  PROTOCOL,
  type Script,
  test,
} from "../../harness/script/index.ts";

/** Makes one of the two notifies with this data. */
type Status = (...data: number[]) => NotifyPayload;
type Make = (of00: Status, of01: Status) => NotifyPayload[];

const long = Array.from({ length: 255 }, (_, i) => i);

const esp = (status: NotifyPayload): NotifyPayload => ({
  ...{ ...status, protocolId: PROTOCOL.ESP },
  spi: Uint8Array.of(0xc0, 0xff, 0xee, 1),
});

/** What stands in the notifies. */
const FORMS: Record<string, Make> = {
  "as-they-are-meant": (of00, of01) => [of00(1), of01(3)],
  "with-every-value-and-in-many-copies": (of00, of01) => [
    ...[0, 1, 2, 255].map((value) => of00(value)),
    ...[0, 1, 2, 3, 0xfc].map((value) => of01(value)),
  ],
  "of-odd-lengths": (of00, of01) => [of00(), of01(), of00(0, 0), of01(1, 2), of00(...long), of01(...long)],
  "with-an-spi-and-the-critical-bit": (of00, of01) => [
    ...[of00(0), of01(2)].map(esp),
    { ...of00(0), critical: true },
  ],
};

const statuses = (s: Script, make: Make): NotifyPayload[] =>
  make(
    (...data) => notify(s.codePoint("ANTI_REPLAY_STATUS"), Uint8Array.from(data)),
    (...data) => notify(s.codePoint("REPLAY_PROT_AND_ESN_STATUS"), Uint8Array.from(data)),
  );

for (const peer of ["responder", "initiator"] as const) {
  for (const [form, make] of Object.entries(FORMS)) {
    /**
     * The tester's half of IKE_AUTH and of CREATE_CHILD_SA (its requests to a responder, its responses to an initiator)
     * has ANTI_REPLAY_STATUS and REPLAY_PROT_AND_ESN_STATUS ${form}. A peer that knows neither ignores them (RFC 7296
     * section 3.10.1): both Child SAs come up and carry traffic.
     */
    test(`as-${peer}-ignores-anti-replay-notifies-${form}`, {
      requirements: ["ARN-106"],
      peer,
      config: { drafts: {} },
      lies: ["drops-messages-with-notifies-of-drafts"],
    }, async (s) => {
      await expectIgnored(s, peer, ...statuses(s, make));
    });
  }
}
