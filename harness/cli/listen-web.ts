/** The pages of `bakeoff listen`: where they are served, as the command line has it. */
import type { Command } from "commander";
import { LabError } from "../../peers/runtime/errors.ts";
import { canonical } from "../listen/addresses.ts";
import type { Hub } from "../listen/types.ts";
import { type ServeOptions, type Serving, serve } from "../listen/web/server.ts";
import { isLoopback, sourceOf } from "../listen/web/source.ts";
import { UsageError } from "../run/usage-error.ts";
import { parseAddress } from "../wire/ip.ts";

export interface WebFlags {
  webAddress: string;
  webPort: string;
  webUrl?: string;
}

/** Where pages are served. */
export type Web = Required<Pick<ServeOptions, "host">> & Omit<ServeOptions, "limits">;

export const withWebOptions = (command: Command): Command =>
  command
    .option("--web-address <address>", "ours, that the pages are served on", "127.0.0.1")
    .option("--web-port <n>", "their TCP port; 0: one that is free", "8080")
    .option("--web-url <url>", "what a reverse proxy on this machine serves them as: https://NAME/");

/** Where pages are to be served. @throws UsageError */
export function webOf({ webAddress, webPort, webUrl }: WebFlags): Web {
  if (!parseAddress(webAddress)) throw new UsageError(`--web-address ${webAddress}: must be an address`);
  if (!/^\d{1,5}$/.test(webPort) || Number(webPort) > 65_535)
    throw new UsageError(`--web-port ${webPort}: must be a port from 0 to 65535`);
  const place = { host: canonical(webAddress), port: Number(webPort) };
  return webUrl === undefined ? place : { ...place, publicUrl: publicUrlOf(webUrl) };
}

function publicUrlOf(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== "/" ||
    url.search + url.hash + url.username !== ""
  )
    throw new UsageError(`--web-url ${given}: must be as https://bakeoff.example/, without a path`);
  return url;
}

/** @throws LabError when the port cannot be had */
export async function openPages(hub: Hub, web: Web): Promise<Serving> {
  return serve(hub, web).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new LabError("network", why, "choose another port: --web-port 0");
  });
}

/** What whoever has started it must know. */
export function pageLines({ url }: Serving, { host, publicUrl }: Web): string[] {
  const clear = publicUrl === undefined && !isLoopback(sourceOf(host));
  const warning = "pages show secrets, and this address has no TLS: behind a proxy that has, say --web-url";
  return [`pages at ${url}`, ...(clear ? [warning] : [])];
}
