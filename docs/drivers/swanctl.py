#!/usr/bin/env python3
"""Driver of ipsec-bakeoff for strongSwan by its shell command swanctl. CHROOT: the root file system it runs in."""
import json, os, re, subprocess, sys, time

ROOT = os.environ.get("CHROOT", "")
SHELL = ["chroot", ROOT] if ROOT else []
CONF = "/run/bakeoff.conf"
KNOWN = {"local", "remote", "localId", "remoteId", "psk", "ikeProposals", "espProposals", "localTs", "remoteTs", "mode", "fragmentation"}
daemon = None

def run(*argv):
    done = subprocess.run([*SHELL, *argv], capture_output=True, text=True, timeout=15)
    sys.stderr.write(done.stdout + done.stderr)
    return done

def swanctl(*argv):
    done = run("swanctl", *argv)
    if done.returncode: raise RuntimeError(done.stderr.strip().split("\n")[-1])
    return done.stdout

def restart():
    global daemon
    if daemon: daemon.kill(); daemon.wait()
    daemon = subprocess.Popen([*SHELL, "/usr/sbin/charon-systemd"], stdout=sys.stderr, stderr=sys.stderr)
    for _ in range(100):
        if run("swanctl", "--stats").returncode == 0: break
        time.sleep(0.05)
    if os.path.exists(ROOT + CONF): swanctl("--load-all", "--noprompt", "--file", CONF)

def configure(config, **_):
    if unknown := sorted(set(config) - KNOWN): return {"unsupported": "this driver cannot set " + ", ".join(unknown)}
    c, join = config, ", ".join
    frag = "" if "fragmentation" not in c else f"fragmentation = {'yes' if c['fragmentation'] else 'no'}"
    with open(ROOT + CONF, "w") as file: file.write(f"""
connections {{ lane {{ version = 2\n mobike = no\n rekey_time = 0\n unique = never\n {frag}
  local_addrs = {c['local']['host']}\n remote_addrs = {c['remote']['host']}\n proposals = {join(c['ikeProposals'])}
  local {{ auth = psk\n id = {c['localId']} }}\n remote {{ auth = psk\n id = {c['remoteId']} }}
  children {{ lane {{ mode = {c['mode']}\n rekey_time = 0\n esp_proposals = {join(c['espProposals'])}
    local_ts = {join(c['localTs'])}\n remote_ts = {join(c['remoteTs'])} }} }} }} }}
secrets {{ ike-lane {{ secret = "{c['psk']}" }} }}""")
    restart()

def status():
    if daemon.poll() is not None: return {"alive": False, "exit": f"exit {daemon.returncode}"}
    text = swanctl("--list-sas")
    ike = [{"spiI": i, "spiR": r, "state": s} for s, i, r in re.findall(r"#\d+, (\w+), IKEv2, (\w+)_i\*? (\w+)_r", text)]
    return {"alive": True, "ikeSas": ike, "childSas": [{"spiIn": i, "spiOut": o, "state": "INSTALLED"} for i, o in re.findall(r"\bin +(\w+).*?\bout +(\w+)", text, re.S)]}

VERBS = {
    "hello": lambda **_: {"name": "strongSwan", "version": run("swanctl", "--version").stdout.strip()},
    "configure": configure, "status": status, "reset": lambda: restart(), "bye": lambda: daemon and daemon.kill(),
    "initiate": lambda: swanctl("--initiate", "--child", "lane", "--timeout", "-1") and None,
    "rekey-ike": lambda: swanctl("--rekey", "--ike", "lane") and None,
    "rekey-child": lambda: swanctl("--rekey", "--child", "lane") and None,
    "delete": lambda what: swanctl("--terminate", f"--{what}", "lane", "--timeout", "-1") and None,
}
for line in sys.stdin:
    ask = json.loads(line)
    number, verb = ask.pop("id"), ask.pop("verb")
    try: reply = VERBS[verb](**ask) if verb in VERBS else {"unsupported": f"no {verb}"}
    except Exception as error: reply = {"error": str(error)}
    reply = reply or {}
    print(json.dumps({"id": number, **({} if "unsupported" in reply or "error" in reply else {"ok": True}), **reply}), flush=True)
    if verb == "bye": break
