/** `bakeoff doctor`: what this machine can run, what is lost without the rest, and the command that brings it. */
import { execFile } from "node:child_process";
import { loadDefinitions } from "../../peers/definition.ts";
import { cacheFolder, isInstalled, KERNEL } from "../../peers/install/cache.ts";

/** One thing a run may need. */
export interface Check {
  id: string;
  ok: boolean;
  /** What was found, in one line. */
  detail: string;
  /** What cannot be done without it. */
  costs: string;
  /** A command, or what else to do. */
  fix: string;
}

export interface DoctorOptions {
  /** No probe takes longer; 3 s when not set. */
  timeoutMs?: number;
  /** Environment of the probes' commands; that of this process when not set. */
  env?: NodeJS.ProcessEnv;
}

interface Finding {
  ok: boolean;
  detail: string;
  /** Set when it is not what the probe usually advises. */
  fix?: string;
}

/** For what is perhaps all there, but closed to an ordinary user. */
const AS_ROOT = "sudo npx bakeoff doctor";

/** Runs a command to its end within the time of a probe. */
type Run = (
  file: string,
  ...args: string[]
) => Promise<{ missing?: true; ok: boolean; stdout: string; reason: string }>;

interface Probe extends Pick<Check, "id" | "costs" | "fix"> {
  find(run: Run): Finding | Promise<Finding>;
}

const PROBES: readonly Probe[] = [
  {
    id: "node",
    costs: "nothing runs",
    fix: "install Node.js 20.19 or later",
    find: () => ({ ok: isNodeRecent(process.versions.node), detail: `Node.js ${process.versions.node}` }),
  },
  {
    id: "root",
    costs: "only the builtin peer and peers at an address of their own can be tested",
    fix: "sudo npx bakeoff run --peer NAME",
    find: () => {
      const ok = process.getuid?.() === 0;
      return { ok, detail: ok ? "running as root" : "running as an ordinary user" };
    },
  },
  {
    id: "raw-socket",
    costs: "ESP goes in UDP only, not as IP protocol 50",
    fix: "as root: apt-get install g++ make python3 && npm ci",
    find: findRawSocket,
  },
  {
    id: "namespaces",
    costs: "strongSwan cannot be run in a network namespace",
    fix: "as root: apt-get install iproute2 util-linux; in a container, give it CAP_SYS_ADMIN and CAP_NET_ADMIN",
    find: async (run) =>
      told(await run("unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"), "can be made"),
  },
  {
    id: "kernel-esp",
    costs: "ESP of this machine's own kernel cannot be tested; that of a user-mode Linux guest can",
    fix: "as root: modprobe -a xfrm_user esp4 esp6; or use the runtime uml",
    find: findKernelEsp,
  },
  {
    id: "tun",
    costs: "strongSwan with userspace ESP (kernel-libipsec) and user-mode Linux guests cannot be run",
    fix: "as root: modprobe tun; in a container, pass the device /dev/net/tun",
    find: async (run) =>
      told(
        await run("unshare", "--net", "ip", "tuntap", "add", "dev", "bakeoff0", "mode", "tun"),
        "devices can be made",
      ),
  },
  {
    id: "user-mode-linux",
    costs: "libreswan, OpenIKED, and strongSwan with kernel ESP, cannot be run",
    fix: "as root: npx bakeoff peers install libreswan",
    find: () => {
      const ok = isInstalled(KERNEL);
      return { ok, detail: `${ok ? "a kernel is" : "no kernel is"} in ${cacheFolder()}` };
    },
  },
  {
    id: "peers",
    costs: "peers that are not installed cannot be run",
    fix: "as root: npx bakeoff peers install",
    find: findPeers,
  },
  {
    id: "mmdebstrap",
    costs: "root file systems of peers cannot be made here",
    fix: "as root: apt-get install mmdebstrap",
    find: async (run) => version(await run("mmdebstrap", "--version")),
  },
  {
    id: "docker",
    costs:
      "peers cannot be run in containers (:docker, docker compose); namespaces and guests do not need it",
    fix: "as root: apt-get install docker.io docker-compose && service docker start",
    find: async (run) => told(await run("docker", "info", "--format", "engine {{.ServerVersion}}")),
  },
  {
    id: "tshark",
    costs: "our decoding is not compared with Wireshark's",
    fix: "as root: apt-get install tshark",
    find: async (run) => version(await run("tshark", "--version")),
  },
  {
    id: "scapy",
    costs: "the benchmark of the wire layer has nothing to compare with",
    fix: "as root: apt-get install python3-scapy",
    find: findScapy,
  },
  {
    id: "chromium",
    costs: "npm test does not open the site in a browser; nothing else needs one",
    fix: "as root: apt-get install chromium",
    find: async (run) => version(await run("chromium", "--version")),
  },
];

/** Runs all probes at once. Never rejects: a probe that breaks is a check that is not ok. */
export function runDoctor(options: DoctorOptions = {}): Promise<Check[]> {
  const { timeoutMs = 3000, env = process.env } = options;
  const run = runner(timeoutMs, env);
  return Promise.all(
    PROBES.map(async ({ id, costs, fix, find }) => {
      const finding = await Promise.resolve()
        .then(() => find(run))
        .catch((error: unknown) => ({
          ok: false,
          detail: error instanceof Error ? error.message : String(error),
        }));
      return { id, costs, fix, ...finding };
    }),
  );
}

/** Plain text, one paragraph for each check that is not ok. */
export function formatDoctor(checks: readonly Check[], color: boolean): string {
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const width = Math.max(0, ...checks.map(({ id }) => id.length));
  const lines = checks.flatMap(({ id, ok, detail, costs, fix }) => [
    `${ok ? paint(32, "ok     ") : paint(33, "missing")}  ${id.padEnd(width)}  ${detail}`,
    ...(ok ? [] : [`           without it: ${costs}`, `           to get it:  ${paint(36, fix)}`]),
  ]);
  return lines.map((line) => line + "\n").join("");
}

function runner(timeout: number, env: NodeJS.ProcessEnv): Run {
  const options = { timeout, env, killSignal: "SIGKILL", cwd: import.meta.dirname } as const;
  return (file, ...args) =>
    new Promise((resolve) => {
      execFile(file, args, options, (failure, stdout, stderr) => {
        if (!failure) resolve({ ok: true, stdout, reason: "" });
        else if (failure.code === "ENOENT") {
          resolve({ missing: true, ok: false, stdout, reason: `${file} is not installed` });
        } else {
          const said = stderr.trim().split("\n").at(-1);
          const reason = failure.killed
            ? `${file} did not end within ${timeout} ms`
            : said || failure.message;
          resolve({ ok: false, stdout, reason });
        }
      });
    });
}

type Ran = Awaited<ReturnType<Run>>;

function told({ ok, stdout, reason }: Ran, good = stdout.trim()): Finding {
  const closed = !ok && /not permitted|permission denied/i.test(reason);
  return { ok, detail: ok ? good : reason, ...(closed && { fix: AS_ROOT }) };
}

function version(ran: Ran): Finding {
  return told(ran, ran.stdout.trim().split("\n")[0]);
}

function isNodeRecent(text: string): boolean {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

/** In a process of its own: a native module built for another Node can take the process with it. */
async function findRawSocket(run: Run): Promise<Finding> {
  const load = await run(process.execPath, "-e", "require('raw-socket')");
  if (!load.ok)
    return { ok: false, detail: "the module raw-socket is not there, or not built for this Node.js" };
  const open = await run(
    process.execPath,
    "-e",
    "require('raw-socket').createSocket({ protocol: 50 }).close()",
  );
  if (open.ok) return { ok: true, detail: "sockets of IP protocol 50 can be opened" };
  return { ok: false, detail: "loads, but this user may open no raw socket", fix: AS_ROOT };
}

/** Each in the form `ip xfrm` takes: what IKE daemons install most. */
const KERNEL_SAS = [
  ["AES-GCM", ["aead", "rfc4106(gcm(aes))", `0x${"01".repeat(20)}`, "128"]],
  [
    "AES-CBC with HMAC-SHA2-256",
    ["enc", "cbc(aes)", `0x${"01".repeat(16)}`, "auth-trunc", "hmac(sha256)", `0x${"02".repeat(32)}`, "128"],
  ],
] as const;

/** Installs an SA in a namespace that ends with the command. Module lists would not tell whether it works. */
async function findKernelEsp(run: Run): Promise<Finding> {
  const add = ["unshare", "--net", "ip", "xfrm", "state", "add", "src", "192.0.2.1", "dst", "192.0.2.2"];
  const sa = ["proto", "esp", "spi", "0x100", "mode", "transport"];
  const [command = "", ...args] = [...add, ...sa];
  const tried = await Promise.all(
    KERNEL_SAS.map(async ([name, algorithms]) => ({ name, ran: await run(command, ...args, ...algorithms) })),
  );
  const works = tried.filter(({ ran }) => ran.ok);
  const refused = tried.filter(({ ran }) => !ran.ok);
  if (works.length === 0) return told((refused.find(({ ran }) => ran.missing) ?? refused[0]!).ran);
  const parts = [
    `takes ${works.map(({ name }) => name).join(" and ")}`,
    ...refused.map(({ name, ran }) => `refuses ${name}: ${ran.reason}`),
  ];
  return { ok: refused.length === 0, detail: parts.join("; ") };
}

function findPeers(): Finding {
  const all = loadDefinitions().flatMap(({ name, versions }) =>
    versions.filter(({ suite }) => suite !== undefined).map(({ version }) => ({ name, version })),
  );
  const [there, missing] = [true, false].map((is) =>
    all
      .filter(({ name, version }) => isInstalled(name, version) === is)
      .map((peer) => `${peer.name}@${peer.version}`),
  );
  const parts = [
    there?.length && `installed: ${there.join(", ")}`,
    missing?.length && `not installed: ${missing.join(", ")}`,
  ];
  return { ok: missing?.length === 0, detail: parts.filter(Boolean).join("; ") };
}

/** The package of the distribution belongs to its own Python, which need not be the first in the path. */
async function findScapy(run: Run): Promise<Finding> {
  const script = "import scapy; print('scapy', scapy.__version__)";
  const tried = await Promise.all(["/usr/bin/python3", "python3"].map((python) => run(python, "-c", script)));
  const works = tried.find(({ ok }) => ok);
  return works ? told(works) : { ok: false, detail: "no python3 here has it" };
}
