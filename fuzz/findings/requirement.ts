/** Which requirement a test of a finding is for, where its alarm names none. */
import { catalogue } from "../../harness/run/catalogue.ts";
import type { PeerRole } from "../../peers/contract.ts";
import type { Stage } from "../trace.ts";
import type { StoredFinding } from "./finding.ts";

export interface ChosenRequirement {
  document: string;
  id: string;
  /** Of the document. */
  section: string;
  /** In words of the catalogue. */
  text: string;
}

interface Named {
  document: string;
  id: string;
}

const ike = (id: string): Named => ({ document: "rfc7296", id });

/** Section 4: whoever speaks IKEv2 reads every payload, or passes it over; a bad one is no reason to end. */
const EVERY_PAYLOAD = ike("IKEV2-294");
/** Section 2.21.3: once authenticated, a bad request has an error for its answer, and so whoever gives it. */
const ERROR_RESPONSE = ike("IKEV2-193");

/** No text says that a peer must survive; these say what it must do with bad input, so that it cannot do it dead. */
const BY_STAGE: Readonly<Record<Stage, readonly Named[]>> = {
  init: [EVERY_PAYLOAD],
  cookie: [ike("IKEV2-108"), EVERY_PAYLOAD],
  intermediate: [{ document: "rfc9242", id: "INT-28" }],
  // Section 2.21.2: a malformed IKE_AUTH has an error for its answer; that binds responders.
  auth: [ike("IKEV2-190"), EVERY_PAYLOAD],
  // Section 3.16: which lengths an EAP message has.
  eap: [ike("IKEV2-291")],
  "create-child": [ERROR_RESPONSE],
  "rekey-ike": [ERROR_RESPONSE],
  "rekey-child": [ERROR_RESPONSE],
  followup: [ERROR_RESPONSE],
  informational: [ERROR_RESPONSE],
  group: [{ document: "g-ikev2", id: "G-IKEV2-B1" }, EVERY_PAYLOAD],
  // A packet that is no good is discarded, and nothing else comes of it.
  esp: [{ document: "rfc4303", id: "ESP-41" }],
};

/** The alarm's own if the catalogue has it for a peer in this role, else one that the stage's bad input is about. */
export function requirementOf({ requirement, stage, trace }: StoredFinding): ChosenRequirement {
  const named = [...(requirement ? [requirement] : []), ...BY_STAGE[stage], EVERY_PAYLOAD];
  for (const one of named) {
    const found = inCatalogue(one, trace.peer);
    if (found) return found;
  }
  return { ...EVERY_PAYLOAD, section: "4", text: "" };
}

function inCatalogue({ document, id }: Named, role: PeerRole): ChosenRequirement | undefined {
  // A file's name must not become a path.
  if (!/^[a-z0-9][a-z0-9-]*$/.test(document)) return undefined;
  const rows = catalogue(document)?.requirements ?? {};
  const row = Object.hasOwn(rows, id) ? rows[id] : undefined;
  if (!row?.roles.includes(role)) return undefined;
  return { document, id, section: row.section, text: row.text };
}
