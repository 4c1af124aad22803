#!/bin/sh
# Makes the certificates of the tests anew: an authority, and servers' certificates of which all but the first are wrong.
set -eu
cd "$(dirname "$0")"
authority() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 36500 -subj "/CN=$2" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
}
server() { # name, address, first day, last day
    openssl req -newkey rsa:2048 -nodes -keyout server.key.new -out server.csr -subj "/CN=$2" 2>/dev/null
    printf 'basicConstraints=CA:FALSE\nsubjectAltName=%s\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' "$2" > ext
    : > index.txt; rm -f index.txt.attr
    openssl ca -batch -config ca.cnf -in server.csr -out server.crt -notext -extfile ext -startdate "$3" -enddate "$4" 2>/dev/null
    cat server.crt server.key.new > "$1.pem"
    rm -f server.csr server.crt server.key.new ext index.txt* serial* ./*.old 0*.pem [0-9A-F]*.pem
}
cat > ca.cnf <<'CNF'
[ca]
default_ca = own
[own]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = any
certificate = authority.pem
private_key = authority.key
[any]
commonName = supplied
CNF
authority authority "Touchline test authority"
server valid IP:127.0.0.1 20200101000000Z 21200101000000Z
server expired IP:127.0.0.1 20200101000000Z 20200102000000Z
server future IP:127.0.0.1 21190101000000Z 21200101000000Z
server other_name DNS:other.example 20200101000000Z 21200101000000Z
rm -f authority.key ca.cnf
