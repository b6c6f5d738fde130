/** What a comparison leaves out: rules that people write (`ignore.yaml`), and how they are applied to paths. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { PATH_SEPARATOR } from "../../harness/wire/fields.ts";

/** How much of a part is compared; see `ignore.yaml`. */
export type Compare = z.infer<typeof compareSchema>;

const compareSchema = z.enum(["nothing", "presence", "length", "all"]);

const ruleSchema = z.strictObject({ path: z.string().min(1), compare: compareSchema.default("nothing") });

const setSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, "not of lower-case letters, digits and hyphens"),
  about: z.string(),
  rules: z.array(ruleSchema),
});

/** A file of rules. */
export const ruleFileSchema = z.strictObject({ sets: z.array(setSchema) });

export type RuleSet = z.infer<typeof setSchema>;

/** Paths that are remembered with their rule; hostile captures have any number of them. */
const MOST_REMEMBERED = 20_000;

/** The sets that come with the program. */
export function ordinaryRuleSets(): RuleSet[] {
  const text = readFileSync(new URL("ignore.yaml", import.meta.url), "utf8");
  return ruleFileSchema.parse(parse(text)).sets;
}

/** Ours and those of another file, whose sets take the place of ours of the same name. */
export function joinRuleSets(ours: readonly RuleSet[], others: readonly RuleSet[]): RuleSet[] {
  return [...new Map([...ours, ...others].map((set) => [set.name, set])).values()];
}

interface Rule {
  labels: RegExp;
  compare: Compare;
  /** Place among all rules. */
  order: number;
}

/** Rules, ready to be asked. */
export class DiffRules {
  /** By the last label, which most of them spell out. */
  readonly #spelt = new Map<string, Rule[]>();
  readonly #others: Rule[] = [];
  readonly #remembered = new Map<string, Compare>();

  constructor(sets: readonly RuleSet[] = ordinaryRuleSets()) {
    for (const [order, { path, compare }] of sets.flatMap((set) => set.rules).entries()) {
      const rule = { labels: patternOf(path), compare, order };
      const last = lastLabel(path);
      const alike = this.#spelt.get(last);
      if (last.includes("*")) this.#others.push(rule);
      else if (alike) alike.push(rule);
      else this.#spelt.set(last, [rule]);
    }
  }

  /** What is compared at a path of names, as in `IKE_AUTH request > SK > AUTH > data`. */
  compared(path: string): Compare {
    const known = this.#remembered.get(path);
    if (known !== undefined) return known;
    const fitting = [...(this.#spelt.get(lastLabel(path)) ?? []), ...this.#others]
      .filter(({ labels }) => labels.test(path))
      .sort((x, y) => x.order - y.order);
    const compare = fitting.at(-1)?.compare ?? "all";
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(path, compare);
    return compare;
  }
}

const lastLabel = (path: string): string => (path.split(PATH_SEPARATOR).at(-1) ?? "").trim();

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/**
 * A label never holds the separator, so that `*` may stand for anything but its first sign. What stands for anything is
 * taken once where it is repeated, or a pattern finds endless ways to fit nowhere.
 */
function patternOf(path: string): RegExp {
  const all = path.split(PATH_SEPARATOR).map((label) => label.trim());
  const labels = all.filter((label, at) => label !== "**" || all[at + 1] !== "**");
  const source = labels.map((label, at) => {
    const separator = at === labels.length - 1 ? "" : PATH_SEPARATOR;
    if (label === "**") return separator === "" ? ".*" : `(?:[^>]*${PATH_SEPARATOR})*`;
    return `${label.split(/\*+/).map(literal).join("[^>]*")}${separator}`;
  });
  return new RegExp(`^${source.join("")}$`, "s");
}
