#!/bin/bash
# Inside the other root file system: starts the daemon of openCryptoki, makes a soft token, and runs the tests.
set -eu
umask 007
mkdir -p /run/lock/opencryptoki/swtok /run/opencryptoki
# A token of an earlier run is not used again.
rm -rf /var/lib/opencryptoki/swtok
mkdir -p /var/lib/opencryptoki/swtok/TOK_OBJ
chgrp -R pkcs11 /run/lock/opencryptoki /run/opencryptoki /var/lib/opencryptoki
chmod -R u=rwX,g=rwX,o= /run/lock/opencryptoki /var/lib/opencryptoki
printf 'version opencryptoki-3.27\nslot 0\n{\nstdll = libpkcs11_sw.so\n}\n' > /etc/opencryptoki/opencryptoki.conf
pkcsslotd
# A process that was given the group before it started: root is not enough for the token's files.
exec setpriv --groups "0,$(getent group pkcs11 | cut -d: -f3)" bash -eu -c '
  echo vendor | pkcsconf -c 0 -I -S 87654321 > /dev/null
  pkcsconf -c 0 -P -S 87654321 -n so-pin-1
  pkcsconf -c 0 -u -S so-pin-1 -n pin8char
  cd "$TOP"
  exec "$NODE" node_modules/vitest/vitest.mjs run --config test/opencryptoki/vitest.config.ts'
