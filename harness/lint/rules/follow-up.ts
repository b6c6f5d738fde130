/** IKE_FOLLOWUP_KE (RFC 9370 section 2.2.4): series of additional key exchanges on an established IKE SA. */
import { hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { NotifyPayload } from "../../wire/types.ts";
import { allSeen, firstId } from "../certainty.ts";
import { concerning } from "../concern.ts";
import { breachIn, first, has, notify } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, type Part, type Place, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { hasError, messageRule, missing, notifyForm, saRule } from "./forms.ts";
import { additionalMethods } from "./multiple-ke.ts";

const LINK = NOTIFY.ADDITIONAL_KEY_EXCHANGE;
const LINK_NAME = "N(ADDITIONAL_KEY_EXCHANGE)";

const form = notifyForm("rfc9370", "MKE-30", "link-with-protocol-or-spi", {
  types: [LINK, NOTIFY.STATE_NOT_FOUND],
  data: () => undefined,
});

const reasonless = messageRule("rfc9370")("state-not-found-with-data", ["MKE-33a"], (message) => {
  const part = notify(message, NOTIFY.STATE_NOT_FOUND);
  return part && part.payload.data.length > 0
    ? [breachIn(part, "STATE_NOT_FOUND has data", 8, "data")]
    : NONE;
});

/** A series: its methods in order, how many of them are done, and the Message ID of the exchange that told so. */
interface Series {
  methods: readonly number[];
  done: number;
  messageId: number;
}

/** Where a link leads: into a series, into one that failed, or into one of several. */
type Way = Series | "failed" | "unsure";

/** Links remembered per IKE SA and side. */
const MOST_LINKS = 256;

/** The links that one side was given. */
class Links {
  #ways = new Map<string, Way>();
  #forgot = false;

  /** A link that is open already, or has served, leads nowhere for certain: some responders have one for all. */
  give(link: string, series: Series): void {
    const isOpen = typeof this.#ways.get(link) === "object";
    this.set(link, isOpen ? "unsure" : series);
  }

  set(link: string, way: Way): void {
    this.#ways.delete(link);
    this.#ways.set(link, way);
    if (this.#ways.size <= MOST_LINKS) return;
    this.#ways.delete(this.#ways.keys().next().value ?? "");
    this.#forgot = true;
  }

  /** Undefined for a link that was never given. */
  get(link: string): Way | undefined {
    return this.#ways.get(link) ?? (this.#forgot ? "unsure" : undefined);
  }

  /** Takes a link out of use; undefined where it leads into no series. */
  use(link: string): Series | undefined {
    const way = this.#ways.get(link);
    if (typeof way !== "object") return undefined;
    this.set(link, "unsure");
    return way;
  }
}

const linkOf = (message: LintMessage): Part<NotifyPayload> | undefined => notify(message, LINK);

/** What the response that made a step has to say of the next one. */
function nextBreaches(message: LintMessage, left: number): Breach[] {
  const part = linkOf(message);
  if (left > 0 && !part)
    return [
      {
        ...missing(LINK_NAME, `${left} additional key exchanges are left, and it has no link`),
        requirement: "MKE-27",
      },
    ];
  if (left === 0 && part)
    return [{ ...breachIn(part, "no key exchange is left, and it has a link"), requirement: "MKE-28" }];
  return [];
}

/** What is wrong with the KE payload of a step. */
function methodBreaches(message: LintMessage, expected: number | undefined): Breach[] {
  const part = first(message, "KE");
  if (!part) return [{ ...missing("KE", "IKE_FOLLOWUP_KE without KE payload"), requirement: "MKE-25" }];
  if (part.payload.group === expected) return [];
  const reason = `method ${part.payload.group}, where ${expected} was agreed on`;
  return [{ ...breachIn(part, reason, 4, "key exchange method"), requirement: "MKE-31" }];
}

/** What was seen of the series that one side began. */
class SeriesOfOneSide {
  #links = new Links();
  #sa: LintIkeSa;

  constructor(sa: LintIkeSa) {
    this.#sa = sa;
  }

  /** The response to CREATE_CHILD_SA. */
  begins(message: LintMessage): Breach[] {
    const chosen = first(message, "SA")?.payload.proposals[0];
    if (!chosen || hasError(message)) return [];
    const methods = additionalMethods(chosen);
    this.#give(message, { methods, done: 0, messageId: message.messageId });
    return nextBreaches(message, methods.length);
  }

  asks(message: LintMessage): Breach[] {
    const part = linkOf(message);
    if (!part)
      return [
        { ...missing(LINK_NAME, "IKE_FOLLOWUP_KE without the link of its series"), requirement: "MKE-29" },
      ];
    const way = this.#links.get(hex(part.payload.data));
    if (way === "failed")
      return [{ ...breachIn(part, "it goes on with a series after STATE_NOT_FOUND"), requirement: "MKE-35" }];
    if (way === undefined) {
      const from = firstId(this.#sa, message.by);
      return this.#sa.begun !== undefined && allSeen(this.#sa, message.by, from, message.messageId)
        ? [{ ...breachIn(part, "a link that was never given", 8, "data"), requirement: "MKE-29" }]
        : [];
    }
    return way === "unsure" || !this.#follows(message, way)
      ? []
      : methodBreaches(message, way.methods[way.done]);
  }

  answers(message: LintMessage, request: LintMessage): Breach[] {
    const link = linkOf(request);
    const key = link && hex(link.payload.data);
    const series = key === undefined ? undefined : this.#links.use(key);
    if (hasError(message)) {
      if (key !== undefined && series && notify(message, NOTIFY.STATE_NOT_FOUND))
        this.#links.set(key, "failed");
      return [];
    }
    if (!series || !this.#follows(request, series)) {
      this.overlooks(message);
      return [];
    }
    const wrong = methodBreaches(message, series.methods[series.done]);
    // Without a key exchange there is no next step to speak of.
    if (!has(message, PAYLOAD.KE)) return wrong;
    const next = { ...series, done: series.done + 1, messageId: message.messageId };
    this.#give(message, next);
    return [...wrong, ...nextBreaches(message, next.methods.length - next.done)];
  }

  /** A response that cannot be told to belong to a series: its link may lead anywhere. */
  overlooks(message: LintMessage): void {
    const given = linkOf(message);
    if (given) this.#links.set(hex(given.payload.data), "unsure");
  }

  /** Whether no step can have been taken since without being seen: some responders have one link for all. */
  #follows(request: LintMessage, { messageId }: Series): boolean {
    return allSeen(this.#sa, request.by, messageId, request.messageId);
  }

  #give(message: LintMessage, series: Series): void {
    const link = linkOf(message);
    if (link) this.#links.give(hex(link.payload.data), series);
  }
}

const REQUIREMENTS = ["MKE-29", "MKE-25", "MKE-27", "MKE-28", "MKE-31", "MKE-35"] as const;

const series = saRule("rfc9370")("follow-up-not-as-agreed", REQUIREMENTS, (sa) => {
  const sides = { initiator: new SeriesOfOneSide(sa), responder: new SeriesOfOneSide(sa) };
  return (message: LintMessage, { exchange, as }: Place) => {
    if (as !== "first" || !exchange || !message.opened) return NONE;
    const side = sides[exchange.by];
    const { exchangeType, isResponse } = message;
    if (exchangeType === EXCHANGE.CREATE_CHILD_SA) return isResponse ? side.begins(message) : NONE;
    if (exchangeType !== EXCHANGE.IKE_FOLLOWUP_KE) return NONE;
    if (!isResponse) return side.asks(message);
    if (exchange.request) return side.answers(message, exchange.request);
    side.overlooks(message);
    return NONE;
  };
});

/** Of IKE_FOLLOWUP_KE. */
export const followUp: readonly Rule[] = [
  form,
  ...concerning({ notifies: [NOTIFY.STATE_NOT_FOUND] }, [reasonless]),
  ...concerning({ exchanges: [EXCHANGE.CREATE_CHILD_SA, EXCHANGE.IKE_FOLLOWUP_KE] }, [series]),
];
