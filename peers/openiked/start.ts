/** The shell script that becomes iked in its guest. All in one go, as each command in a guest has its price. */
import type { GuestFile } from "./auth.ts";

const CONF = "/etc/iked.conf";
/** By how much iked's clock is ahead, as libfaketime reads it; iked's processes see only their empty folder. */
const CLOCK = "/var/lib/openiked/empty/clock";
const END = "END-OF-FILE";

/** What a daemon before left behind in the kernel. */
const FORGET = ["xfrm state flush", "xfrm policy flush"];

/**
 * Sets iked's clock ahead by so many seconds. The file always has the same length and is never empty, even for a
 * moment: libfaketime reads it at every look at the clock, and ends a process for what it cannot read.
 */
export const clockCommand = (seconds: number): string => `printf +%09d ${seconds} 1<> ${CLOCK}`;

const written = ({ path, text, ...file }: GuestFile): string =>
  `umask ${file.private ? "077" : "022"}\ncat > ${path} << '${END}'\n${text}${END}\n`;

/**
 * @param files keys and certificates, in the place of those before
 * @param commands for `ip`
 */
export function startScript(conf: string, files: GuestFile[], commands: string[]): string {
  return `# From the second start on, the modules that PF_KEY looks for are there or nowhere, and looking again would take 0.3 s.
[ -d /run/iked ] && echo > /proc/sys/kernel/modprobe || mkdir -p /run/iked /dev/shm
rm -f /dev/shm/*faketime* /etc/iked/ca/*.pem /etc/iked/certs/*.pem
${[...files, { path: CONF, text: conf, private: true } as const].map(written).join("")}
ip -force -batch - << '${END}' 2>/dev/null
${[...FORGET, ...commands].join("\n")}
${END}
umask 022; touch ${CLOCK} && ${clockCommand(0)}
export LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
export FAKETIME_TIMESTAMP_FILE=/clock FAKETIME_NO_CACHE=1
exec /usr/sbin/iked -d -vv -f ${CONF} < /dev/null
`;
}
