/** For tests of commands. */
import { bakeoff } from "./program.ts";

export interface Said {
  status: number;
  out: string;
  err: string;
}

/** Runs a command line in this process and keeps what it writes. */
export async function said(...argv: string[]): Promise<Said> {
  const streams = [process.stdout, process.stderr] as const;
  const texts = ["", ""];
  const writes = streams.map((stream) => stream.write.bind(stream));
  streams.forEach((stream, i) => {
    stream.write = (text: Uint8Array | string) => {
      texts[i] += String(text);
      return true;
    };
  });
  try {
    return { status: await bakeoff(argv), out: texts[0] ?? "", err: texts[1] ?? "" };
  } finally {
    streams.forEach((stream, i) => {
      const write = writes[i];
      if (write) stream.write = write;
    });
  }
}
