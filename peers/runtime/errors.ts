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

/** What the user typed, as root. */
export function commandLine(): string {
  return ["sudo -E npx bakeoff", ...process.argv.slice(2)].join(" ");
}
