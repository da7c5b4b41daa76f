"""A worker as one writes it by hand: host, port, list, command. No lease is kept, nothing is recorded."""
import socket
import subprocess
import sys

host, port, queue, command = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
connection = socket.create_connection((host, port))
answers = connection.makefile("rb")


def ask(*words):
    connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in (x.encode() for x in words)))
    line = answers.readline()
    if line[:1] != b"$" or line == b"$-1\r\n":
        return None
    return answers.read(int(line[1:]) + 2)[:-2].decode()


while (task := ask("LMOVE", queue, queue + ":taken", "LEFT", "RIGHT")) is not None:
    subprocess.run(command, check=True)
    ask("LREM", queue + ":taken", "1", task)
