#!/bin/sh
# RabbitMQ 3.10.8: a client that is gone is noticed after two to three times the heartbeat
# timeout. The guide says that the timeout "defines after what period of time the peer TCP
# connection should be considered unreachable (down) by RabbitMQ" and that this is so "after two
# missed heartbeats", which are sent every half of it. A good engineer who sets heartbeat=4, so
# that the messages of a frozen or unplugged consumer are delivered again within 4 seconds, waits
# for 8 to 12: the server looks once per timeout whether anything has come, and closes the
# connection when twice nothing had. With the default of 60 that is 2 to 3 minutes.
#
# Seen: three messages that a frozen client had got with a heartbeat of 4 s were delivered again
# after 12.1 seconds each. The script fails where one comes
# sooner than after 7 seconds. It installs Debian 12's package, if it isn't there, and runs a
# server of its own; the client is amqp091-go v1.10.0, whose process is stopped by SIGSTOP.
set -eu
version=3.10.8-1.1+deb12u1
dpkg-query -W -f '${Version}' rabbitmq-server 2>/dev/null | grep -qx "$version" ||
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "rabbitmq-server=$version" >/dev/null
work=$(mktemp -d)
export ERL_EPMD_PORT=25612 RABBITMQ_DIST_PORT=25613 RABBITMQ_NODE_PORT=25614 RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=finding@localhost
export RABBITMQ_MNESIA_BASE="$work" RABBITMQ_LOG_BASE="$work" RABBITMQ_ENABLED_PLUGINS_FILE="$work/plugins" detached=1
epmd -port $ERL_EPMD_PORT -address 127.0.0.1 & names=$!
HOME=$work /usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server >"$work/log" 2>&1 & server=$!
trap 'kill -9 $server $names; rm -rf "$work"' EXIT
cd "$work"
go mod init finding >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func connect(heartbeat time.Duration) *amqp.Channel {
	for n := 0; ; n++ {
		c, err := amqp.DialConfig("amqp://127.0.0.1:25614", amqp.Config{Heartbeat: heartbeat})
		if err == nil {
			ch, err := c.Channel()
			must(err)
			return ch
		} else if n > 600 {
			panic(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func main() {
	if len(os.Args) > 1 { // the consumer, which will be frozen
		_, ok, err := connect(4*time.Second).Get("q", false)
		must(err)
		fmt.Println(ok)
		time.Sleep(time.Hour)
	}
	watch := connect(time.Minute)
	_, err := watch.QueueDeclare("q", true, false, false, false, nil)
	must(err)
	must(watch.Publish("", "q", false, false, amqp.Publishing{Body: []byte("x")}))
	time.Sleep(time.Second)
	late := true
	for range 3 {
		cmd := exec.Command(os.Args[0], "consume")
		out, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		got := make([]byte, 4)
		_, err = out.Read(got)
		must(err)
		if string(got) != "true" {
			panic("no message")
		}
		must(cmd.Process.Signal(syscall.SIGSTOP))
		began := time.Now()
		for q := (amqp.Queue{}); q.Messages == 0; time.Sleep(50 * time.Millisecond) {
			q, err = watch.QueueDeclarePassive("q", true, false, false, false, nil)
			must(err)
		}
		took := time.Since(began)
		fmt.Printf("heartbeat 4 s, frozen: delivered again after %.1f s\n", took.Seconds())
		late = late && took > 7*time.Second
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if !late {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go get github.com/rabbitmq/amqp091-go@v1.10.0 2>/dev/null
go build -o finding .
./finding
