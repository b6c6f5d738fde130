#!/usr/bin/env python3
"""Driver of ipsec-bakeoff for strongSwan by its shell command swanctl. CHROOT: the root file system it runs in."""
import json, os, re, subprocess, sys, time

ROOT = os.environ.get("CHROOT", "")
SHELL = ["chroot", ROOT] if ROOT else []
CONF = "/run/bakeoff.conf"
KNOWN = {"local", "remote", "localId", "remoteId", "psk", "mode", "ikeProposals", "espProposals", "localTs", "remoteTs"}
daemon = None

def swanctl(*argv):
    done = subprocess.run([*SHELL, "swanctl", *argv], capture_output=True, text=True, timeout=8)
    sys.stderr.write(done.stdout + done.stderr)  # the peer's log
    if done.returncode: raise RuntimeError(done.stderr.strip().split("\n")[-1])
    return done.stdout

def restart():
    global daemon
    if daemon: daemon.kill(); daemon.wait()
    daemon = subprocess.Popen([*SHELL, "/usr/sbin/charon-systemd"], stdout=sys.stderr, stderr=sys.stderr)
    while subprocess.run([*SHELL, "swanctl", "--stats"], capture_output=True).returncode: time.sleep(0.05)
    if os.path.exists(ROOT + CONF): swanctl("--load-all", "--noprompt", "--file", CONF)

def configure(config, hosts, **_):
    if unknown := sorted(set(config) - KNOWN): return {"unsupported": "no means for " + ", ".join(unknown)}
    c = {key: ", ".join(value) if isinstance(value, list) else value for key, value in config.items()}
    with open(ROOT + CONF, "w") as file: file.write(f"""
connections {{ lane {{ version = 2\n mobike = no\n rekey_time = 0\n unique = never\n proposals = {c['ikeProposals']}
  local_addrs = {c['local']['host']}\n remote_addrs = {c['remote']['host']}
  local {{ auth = psk\n id = {c['localId']} }}\n remote {{ auth = psk\n id = {c['remoteId']} }}
  children {{ lane {{ mode = {c['mode']}\n rekey_time = 0\n esp_proposals = {c['espProposals']}
    local_ts = {c['localTs']}\n remote_ts = {c['remoteTs']} }} }} }} }}
secrets {{ ike-lane {{ secret = "{c['psk']}" }} }}""")
    subprocess.run(["ip", "address", "replace", hosts["peer"], "dev", "lo"], check=True)
    restart()

def status():
    if daemon.poll() is not None: return {"alive": False, "exit": f"exit {daemon.returncode}"}
    ike = re.findall(r"#\d+, (\w+), IKEv2, (\w+)_i\*? (\w+)_r", text := swanctl("--list-sas"))
    child = re.findall(r"\bin +(\w+).*?\bout +(\w+)", text, re.S)
    return {"alive": True, "ikeSas": [{"spiI": i, "spiR": r, "state": state} for state, i, r in ike],
            "childSas": [{"spiIn": i, "spiOut": o, "state": "INSTALLED"} for i, o in child]}

VERBS = {
    "hello": lambda **_: restart() or {"name": "strongSwan", "version": swanctl("--version").split()[-1]},
    "configure": configure, "initiate": lambda: swanctl("--initiate", "--child", "lane", "--timeout", "-1"),
    "rekey-ike": lambda: swanctl("--rekey", "--ike", "lane"), "rekey-child": lambda: swanctl("--rekey", "--child", "lane"),
    "delete": lambda what: swanctl("--terminate", f"--{what}", "lane", "--timeout", "-1"),
    "status": status, "reset": restart, "bye": lambda: daemon and daemon.kill(),
}
for line in sys.stdin:
    ask = json.loads(line)
    number, verb = ask.pop("id"), ask.pop("verb")
    try: reply = VERBS[verb](**ask) if verb in VERBS else {"unsupported": f"no {verb}"}
    except Exception as error: reply = {"error": str(error)}
    fields = reply if isinstance(reply, dict) else {}
    failed = fields.keys() & {"error", "unsupported"}
    print(json.dumps({"id": number, **({} if failed else {"ok": True}), **fields}), flush=True)
    if verb == "bye": break
