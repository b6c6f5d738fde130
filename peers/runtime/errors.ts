/** Why a peer could not be brought up. The lab's fault, never the peer's; the command ends with status 3. */
export type LabProblem =
  | "no-root"
  | "missing-tool"
  | "not-installed"
  | "install-failed"
  | "no-runtime"
  | "network"
  | "start-failed"
  | "unwritable"
  | "control";

/** `message` says what failed; `advice` is the command or step that mends it, where there is one. */
export class LabError extends Error {
  readonly problem: LabProblem;
  readonly advice: string | undefined;

  constructor(problem: LabProblem, message: string, advice?: string) {
    super(advice ? `${message}; ${advice}` : message);
    this.name = "LabError";
    this.problem = problem;
    this.advice = advice;
  }
}

/** @throws LabError `no-root` unless this process may make namespaces and mounts */
export function requireRoot(what: string): void {
  if (process.geteuid?.() !== 0) {
    throw new LabError("no-root", `${what} needs root`, `run: ${commandLine()}`);
  }
}

/** Options whose value may be a secret, or hold one. */
const SECRET = ["--psk", "--hook", "--command"];

/** What the user typed, as root; secrets left out, for this may come into a report or the log of a CI run. */
export function commandLine(typed: readonly string[] = process.argv.slice(2)): string {
  const told = typed.map((word, i) => {
    const [name = ""] = word.split("=");
    if (SECRET.includes(typed[i - 1] ?? "")) return "...";
    return SECRET.includes(name) && name !== word ? `${name}=...` : word;
  });
  return ["sudo -E npx bakeoff", ...told].join(" ");
}
