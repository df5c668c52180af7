#!/bin/sh
# Makes what compose.yaml takes as secrets, in the folder secrets beside it: an
# authority, certificates, keys and passwords. Nothing that is there is made anew.
# CAUSEWAY names the binary; by default the image is asked.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

made() { # made FILE COMMAND…: unless it is there
	[ -s "$1" ] && return
	file=$1
	shift
	"$@" >"$file.new"
	mv "$file.new" "$file"
}

[ -s ca.crt ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
	-subj '/CN=three-sites' -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
	-keyout ca.key -out ca.crt 2>/dev/null
made gossip.key ${CAUSEWAY:-docker run --rm causeway} gossip keygen

for site in west east south; do
	if [ ! -s "$site.crt" ]; then
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$site.example.test" \
			-keyout "$site.key" -out "$site.csr" 2>/dev/null
		printf 'subjectAltName=DNS:%s.example.test,DNS:localhost\nextendedKeyUsage=serverAuth\n' "$site" >"$site.ext"
		openssl x509 -req -in "$site.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile "$site.ext" -out "$site.crt" 2>/dev/null
		rm "$site.csr" "$site.ext"
	fi
	made "$site-master-key" openssl rand -base64 32
	made "$site-database-password" openssl rand -hex 24
	made "$site-database-url" printf 'postgres://causeway:%s@%s-db/causeway?sslmode=disable' "$(cat "$site-database-password")" "$site"
done
# The containers' users read them; the folder keeps everybody else out.
chmod 0444 ./*-master-key ./*-database-* ./*.key ./*.crt
chmod 0400 ca.key
