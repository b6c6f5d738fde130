# Plays one test as the environment says: docs/containers.md.
set -eu
if [ "$MODE" != tunnel ]; then
  echo "no $MODE mode" >&2
  exit 127
fi
list() { echo "$1" | sed 's/ /, /g'; }
ip address add "$HOST" dev lo
charon-systemd &
daemon=$!
until swanctl --stats > /dev/null 2>&1; do sleep 0.05; done
cat > /testing/swanctl.conf << END
connections { lane { version = 2
  mobike = no
  rekey_time = 0
  unique = never
  proposals = $(list "$IKE_PROPOSALS")
  local_addrs = $LOCAL_ADDRESS
  remote_addrs = $REMOTE_ADDRESS
  local { auth = psk
    id = $LOCAL_ID }
  remote { auth = psk
    id = $REMOTE_ID }
  children { lane { rekey_time = 0
    esp_proposals = $(list "$ESP_PROPOSALS")
    local_ts = $(list "$LOCAL_TS")
    remote_ts = $(list "$REMOTE_TS") } } } }
secrets { ike-lane { secret = "$PSK" } }
END
swanctl --load-all --noprompt --file /testing/swanctl.conf
touch /bakeoff/ready
if [ "$ROLE" = initiator ]; then swanctl --initiate --child lane --timeout -1; fi
wait "$daemon"
