# What one writes for a list of Redis without a library: take a task, run the command, until
# there is none. No lease, no record, no retry: a task whose process dies is lost.
import socket, subprocess, sys

s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
f = s.makefile("rb")
name = sys.argv[2].encode()
while True:
    s.sendall(b"*2\r\n$4\r\nLPOP\r\n$%d\r\n%s\r\n" % (len(name), name))
    n = int(f.readline()[1:])
    if n < 0:
        break
    task = f.read(n + 2)[:-2].decode()
    subprocess.run([sys.argv[3], task], check=True)
