#!/bin/sh
# MariaDB 10.11: what JSON_OBJECT gives of a column has the column's character set, and that of
# a table for which nobody has said one is latin1. Put into a BLOB, as a message or a task for a
# program, it is latin1 bytes: no JSON, which is UTF-8 (RFC 8259), for everybody but the server,
# whose JSON_VALID says 1 of the same bytes. A good engineer would expect JSON of a server to be
# UTF-8, as MySQL's type JSON always is (utf8mb4), or at least to be refused by JSON_VALID. Rows
# without accents hide it: they are the same bytes in both. CONVERT(… USING utf8mb4) mends it.
#
# Seen, with a client that speaks utf8mb4: character_set_server latin1, the bytes 4BF66C6E for
# Köln, JSON_VALID 1, and Python refuses them; with CONVERT they are 4BC3B66C6E, and it reads
# them. The script fails where the default is another, or the bytes are UTF-8 without CONVERT.
#
# It needs Debian 12's apt-get download, dpkg-deb and python3, and changes nothing outside of a
# temporary folder.
set -eu
version=1:10.11.19-0+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download -q "mariadb-server-core=$version" libaio1 liburing2 libnuma1 >log 2>&1 || { cat log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
mkdir data
cat >sql <<'SQL'
CREATE DATABASE d;
USE d;
SET NAMES utf8mb4;
CREATE TABLE orders (city varchar(20)) ENGINE = InnoDB;
INSERT INTO orders VALUES (_utf8mb4 0x4BC3B66C6E);
CREATE TABLE tasks (payload longblob) ENGINE = InnoDB;
INSERT INTO tasks SELECT JSON_OBJECT('city', city) FROM orders;
INSERT INTO tasks SELECT CONVERT(JSON_OBJECT('city', city) USING utf8mb4) FROM orders;
SQL
echo "SELECT VERSION(), @@character_set_server, JSON_VALID(payload), HEX(payload) FROM tasks INTO OUTFILE '$work/rows';" >>sql
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu | tr ' ' :) root/usr/sbin/mariadbd --no-defaults --user="$(id -un)" --bootstrap --datadir="$work/data" \
  --lc-messages-dir="$work/root/usr/share/mysql" --character-sets-dir="$work/root/usr/share/mysql/charsets" --tmpdir="$work" --secure-file-priv= <sql >log 2>&1 || { cat log; exit 1; }
cat rows
python3 - <<'PYTHON'
import json, sys

rows = [line.split("\t") for line in open("rows").read().splitlines()]
read = []
for version, charset, valid, digits in rows:
    try:
        read.append(json.loads(bytes.fromhex(digits))["city"])
    except UnicodeDecodeError as error:
        read.append(None)
        print("Python:", error)
seen = [(charset, valid) for _, charset, valid, _ in rows], read
if seen != ([("latin1", "1"), ("latin1", "1")], [None, "Köln"]):
    sys.exit(f"it is otherwise: {seen}")
print("as described")
PYTHON
