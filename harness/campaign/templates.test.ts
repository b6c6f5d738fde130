/** The action and the templates, by the tools of those who run them. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";
import { Ajv } from "ajv";
import { expect } from "chai";
import type { Command } from "commander";
import { Job } from "kubernetes-models/batch/v1/Job";
import { PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { campaignCommand } from "../cli/campaign.ts";
import { fuzzCommand } from "../cli/fuzz.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const silent = new NoOperationTraceWriter();
const GITHUB = ["templates/github/campaign.yml", "templates/github/test.yml"];

/** What GitHub says of a workflow. */
async function workflowErrors(content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name: "workflow", content }, silent);
  if (value) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

const actionErrors = (content: string): string[] =>
  parseAction({ name: "action", content }, silent)
    .context.errors.getErrors()
    .map(({ message }) => message);

describe("templates for GitHub", () => {
  it("are workflows and an action to GitHub's own parser, which takes no slip", async () => {
    for (const path of GITHUB) expect(await workflowErrors(read(path)), path).to.deep.equal([]);
    expect(actionErrors(read("action.yml"))).to.deep.equal([]);
    const [campaign = "", test = ""] = GITHUB.map(read);
    expect(await workflowErrors(campaign.replace("matrix.shard }}/", "matrx.shard }}/"))).to.match(/matrx/);
    expect(await workflowErrors(test.replace("steps:", "stepz:"))).to.have.length.above(0);
    expect(actionErrors(read("action.yml").replace("shell:", "shel:"))).to.have.length.above(0);
  });

  it("have eight lines for an implementer, and no expression in any script", () => {
    expect(read("templates/github/test.yml").trim().split("\n")).to.have.length(8);
    const steps = z.array(z.object({ run: z.string().optional() }));
    const workflow = z.object({ jobs: z.record(z.string(), z.object({ steps })) });
    for (const path of GITHUB)
      for (const job of Object.values(workflow.parse(parse(read(path))).jobs))
        for (const { run = "" } of job.steps) expect(run).to.not.include("${{");
  });
});

describe("the template for GitLab", () => {
  it("is of GitLab's schema, which takes no slip", async () => {
    const file = "gitlab-ci-local/src/schema/schema.js";
    const { schema } = z
      .object({ schema: z.record(z.string(), z.unknown()) })
      .parse({ ...(await import(file)) });
    const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
    const validate = ajv.compile(schema);
    const text = read("templates/gitlab/.gitlab-ci.yml");
    validate(parse(text));
    expect(validate.errors).to.equal(null);
    expect(validate(parse(text.replace("parallel: 4", "parallell: 4")))).to.equal(false);
  });
});

describe("the pages of GitLab", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-templates-test-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const { pages, verdict } = z
    .object({
      pages: z.object({ script: z.array(z.string()) }),
      verdict: z.object({ script: z.array(z.string()) }),
    })
    .parse(parse(read("templates/gitlab/.gitlab-ci.yml")));

  /** Exit status of a job, where the tool is this shell command. */
  const statusOf = ({ script }: typeof pages, tool: string): number | null => {
    writeFileSync(join(folder, "tool"), tool);
    const options = { cwd: folder, env: { PATH: process.env.PATH, BAKEOFF: "sh tool" } };
    return spawnSync("sh", ["-ec", script.join("\n")], options).status;
  };

  it("are of a job that succeeds whatever the verdicts, and the status is that of one behind it", () => {
    for (const status of [0, 1, 3]) {
      expect(statusOf(pages, `mkdir -p campaign/site; exit ${status}`)).to.equal(0);
      expect(existsSync(join(folder, "public"))).to.equal(true);
      rmSync(join(folder, "public"), { recursive: true });
      expect(statusOf(verdict, "")).to.equal(status);
    }
    expect(statusOf(pages, "exit 2"), "where there is no site").to.not.equal(0);
  });
});

const names = z.array(z.string());
const container = z.strictObject({
  ...{ name: z.string(), image: z.string(), command: names, args: names.optional() },
  env: z
    .array(
      z.union([
        z.strictObject({ name: z.string(), value: z.string() }),
        z.strictObject({
          name: z.literal("JOB"),
          valueFrom: z.strictObject({
            fieldRef: z.strictObject({
              fieldPath: z.literal("metadata.labels['batch.kubernetes.io/controller-uid']"),
            }),
          }),
        }),
      ]),
    )
    .default([]),
  resources: z.strictObject({
    requests: z.record(z.enum(["cpu", "memory"]), z.string()),
    limits: z.record(z.enum(["cpu", "memory"]), z.string()),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    seccompProfile: z.strictObject({ type: z.literal("RuntimeDefault") }),
    capabilities: z.strictObject({
      drop: z.tuple([z.literal("ALL")]),
      // The latter for UDP port 500.
      add: z.tuple([z.literal("NET_ADMIN"), z.literal("NET_BIND_SERVICE")]).optional(),
    }),
  }),
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })),
});

/** The fields that we use: the published schemas pass over unknown ones, which the API server drops with a warning. */
const jobSchema = z.strictObject({
  ...{ apiVersion: z.literal("batch/v1"), kind: z.literal("Job") },
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject({
    ...{ completionMode: z.literal("Indexed").optional(), completions: z.int().optional() },
    ...{ parallelism: z.int().optional(), backoffLimitPerIndex: z.int().optional() },
    ...{ suspend: z.literal(true).optional(), backoffLimit: z.int().optional() },
    podFailurePolicy: z
      .strictObject({
        rules: z.array(
          z.strictObject({
            action: z.enum(["FailIndex", "FailJob", "Ignore", "Count"]),
            onExitCodes: z.strictObject({
              ...{ containerName: z.literal("bakeoff"), operator: z.enum(["In", "NotIn"]) },
              values: z.array(z.int()),
            }),
          }),
        ),
      })
      .optional(),
    template: z.strictObject({
      spec: z.strictObject({
        ...{ restartPolicy: z.literal("Never"), automountServiceAccountToken: z.literal(false) },
        containers: z.tuple([container]),
        volumes: z.tuple([
          z.strictObject({
            name: z.literal("results"),
            persistentVolumeClaim: z.strictObject({ claimName: z.literal("bakeoff-results") }),
          }),
        ]),
      }),
    }),
  }),
});
type KubernetesJob = z.infer<typeof jobSchema>;

const claimSchema = z.strictObject({
  ...{ apiVersion: z.literal("v1"), kind: z.literal("PersistentVolumeClaim") },
  metadata: z.strictObject({ name: z.literal("bakeoff-results") }),
  spec: z.strictObject({
    accessModes: z.tuple([z.literal("ReadWriteMany")]),
    resources: z.strictObject({ requests: z.strictObject({ storage: z.string() }) }),
  }),
});

const MANIFESTS = ["templates/kubernetes/matrix.yaml", "templates/kubernetes/fuzz.yaml"];

/** The Jobs of a manifest, by Kubernetes' schemas and ours. Throws what is wrong. */
function jobsIn(text: string): KubernetesJob[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value: unknown = document.toJS();
    const { kind } = z.object({ kind: z.string() }).parse(value);
    if (kind !== "Job") {
      new PersistentVolumeClaim(claimSchema.parse(value)).validate();
      return [];
    }
    const job = jobSchema.parse(value);
    new Job(job).validate();
    return [job];
  });
}

describe("templates for Kubernetes", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-templates-test-"));
    writeFileSync(join(folder, "node"), '#!/bin/sh\nprintf "%s\\n" "$@"\nexit $STATUS\n');
    chmodSync(join(folder, "node"), 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What the container of a Job would run, with the program saying what it is told. */
  function runs({ spec }: KubernetesJob, environment: Record<string, string>): string[] {
    const [{ command, args = [], env }] = spec.template.spec.containers;
    const own = Object.fromEntries(env.flatMap((one) => ("value" in one ? [[one.name, one.value]] : [])));
    const [file = "", ...rest] = [...command, ...args];
    const here = { PATH: `${folder}:${process.env.PATH}`, RESULTS: folder };
    const options = { env: { ...own, ...here, ...environment } };
    return execFileSync(file, rest, { ...options, encoding: "utf8" })
      .trim()
      .split("\n");
  }

  it("are of the published schemas, which take no slip in what we use", () => {
    for (const path of MANIFESTS) {
      expect(jobsIn(read(path)).length, path).to.be.at.least(1);
      for (const [from, to] of [
        ["completions:", "completion:"],
        ["completionMode: Indexed", "completionMode: Indexd"],
        ["memory: 1Gi", "memory: true"],
        ["capabilities:", "privileged: true, capabilities:"],
      ] as const)
        expect(() => jobsIn(read(path).replace(from, to)), `${path}: ${to}`).to.throw();
    }
  });

  it("take the index of a pod for the shard, of as many as there are, and a verdict for no failure", () => {
    for (const path of MANIFESTS) {
      const [job] = jobsIn(read(path));
      if (!job) throw new Error("no Job");
      const { completions } = job.spec;
      for (const STATUS of ["0", "1"]) {
        const told = runs(job, { JOB_COMPLETION_INDEX: "2", STATUS });
        expect(told[told.indexOf("--shard") + 1], path).to.equal(`3/${completions}`);
      }
      expect(() => runs(job, { JOB_COMPLETION_INDEX: "2", STATUS: "3" })).to.throw();
    }
  });

  it("have a folder for each campaign, which a pod that is lost goes on in, and which is merged", () => {
    const [matrix, merge] = jobsIn(read("templates/kubernetes/matrix.yaml"));
    if (!matrix || !merge) throw new Error("no Job");
    const optionOf = (told: string[], name: string) => told[told.indexOf(name) + 1];
    const [first, again, next] = ["a", "a", "b"].map((JOB) => {
      const shard = runs(matrix, { JOB, JOB_COMPLETION_INDEX: "0", STATUS: "0" });
      const merged = runs(merge, { STATUS: "0" });
      expect(shard).to.include("--resume");
      expect(optionOf(merged, "--merge")).to.equal(optionOf(shard, "--out"));
      return optionOf(shard, "--out");
    });
    expect(again).to.equal(first);
    expect(next).to.not.equal(first);
  });

  it("call the tool as it is", () => {
    const commands = [campaignCommand(() => {}), fuzzCommand(() => {})];
    for (const path of MANIFESTS)
      for (const job of jobsIn(read(path))) {
        const [, name, ...told] = runs(job, { JOB_COMPLETION_INDEX: "0", STATUS: "0" });
        const options = optionsOf(commands.find((command) => command.name() === name));
        for (const word of told) if (word.startsWith("--")) expect(options, path).to.include(word);
      }
    for (const path of [...GITHUB, "templates/gitlab/.gitlab-ci.yml"])
      for (const [, line = ""] of read(path).matchAll(/(?:bakeoff|\$BAKEOFF) campaign (.*)/g))
        for (const [word] of line.matchAll(/--[a-z-]+/g))
          expect(optionsOf(commands[0]), path).to.include(word);
  });
});

const optionsOf = (command?: Command): string[] => (command?.options ?? []).flatMap(({ long }) => long ?? []);
