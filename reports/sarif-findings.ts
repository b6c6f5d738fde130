/** What fuzzing found as SARIF 2.1.0: a rule for each requirement that is broken, or for what noticed it. */
import { createHash } from "node:crypto";
import type { Finding } from "./findings.ts";
import { message, uriOf } from "./sarif-text.ts";
import { oneLine } from "./text.ts";

type SarifLevel = "error" | "warning" | "note";

export interface FindingRule {
  id: string;
  shortDescription: { text: string };
  defaultConfiguration: { level: SarifLevel };
  properties: { tags: string[] };
}

const LEVELS: Record<Finding["severity"], SarifLevel> = {
  ...{ critical: "error", high: "error", medium: "warning", low: "warning", note: "note" },
};

/** The verdict that a test of it would have. */
const VERDICTS = { crash: "crash", hang: "hang" } as const;

const RULES: Record<Finding["oracle"], string> = {
  crash: "The peer must live on, whatever is sent to it.",
  hang: "The peer must go on answering, whatever is sent to it.",
  memory: "The peer must give back what a conversation took.",
  requirement: "The peer must do what the text asks.",
  difference: "Implementations of one text should answer alike.",
  state: "No SA without a completed and matching authentication.",
  secrecy: "Nothing of what keys protect may become known.",
};

export const findingRuleId = ({ requirement, oracle }: Finding): string =>
  oneLine(requirement ? `${requirement.document}/${requirement.id}` : `fuzz/${oracle}`);

/** For a requirement that no test of the run has made a rule of. */
export const findingRule = (finding: Finding): FindingRule => ({
  id: findingRuleId(finding),
  shortDescription: message(RULES[finding.oracle]),
  defaultConfiguration: { level: LEVELS[finding.severity] },
  properties: { tags: ["fuzzing", finding.oracle] },
});

/** A finding of the run as a result. Embargoed ones must not come here. */
export function findingResult(finding: Finding, ruleIndex: number) {
  const { id, title, peer, fullVersion, oracle, severity, steps = [], seen } = finding;
  const name = oneLine(peer);
  const role = finding.role ?? "";
  const told = steps.length > 0 ? ` ${steps.join(" ")}` : "";
  return {
    ...{ ruleId: findingRuleId(finding), ruleIndex, kind: "fail", level: LEVELS[severity] },
    message: message(`${peer}${role && ` as ${role}`} (${fullVersion}): ${title}.${told}`),
    locations: [
      { logicalLocations: [{ name, fullyQualifiedName: role ? `${name}/${role}` : name, kind: "module" }] },
    ],
    ...(seen && { occurrenceCount: seen.count }),
    partialFingerprints: fingerprints(id),
    attachments: attachments(finding),
    properties: {
      ...{ verdict: oracle === "crash" || oracle === "hang" ? VERDICTS[oracle] : "fail", test: `fuzz/${id}` },
      ...{ peer: name, severity, stage: oneLine(finding.stage), seed: oneLine(finding.seed) },
      operators: (finding.operators ?? []).map(oneLine),
    },
  };
}

function fingerprints(id: string) {
  const digest = createHash("sha256").update(`fuzz/${id}`).digest("hex");
  return { "bakeoffFinding/v1": id, primaryLocationLineHash: `${digest.slice(0, 16)}:1` };
}

const attachments = ({ capture, ladder, log, reproducer }: Finding) =>
  Object.entries({ capture, ladder, log, reproducer }).flatMap(([what, path]) =>
    path === undefined
      ? []
      : [{ description: message(what), artifactLocation: { uri: uriOf(path), uriBaseId: "OUT" } }],
  );
