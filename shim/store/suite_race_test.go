package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// racers is how many write at the same time.
const racers = 50

// oneWins lets all racers write to one key at once, each with its own content, and
// tells how many succeeded. What the key holds is the winner's.
func oneWins(t *testing.T, s *store.Store, key string, write func(body []byte) error) {
	t.Helper()
	var winners atomic.Int32
	var winner atomic.Pointer[[]byte]
	var all sync.WaitGroup
	gate := make(chan bool)
	round := rand.Text() // on S3 a version is its content: who writes what is there already changes nothing
	for n := range racers {
		body := bytes.Repeat([]byte(fmt.Sprintf("racer %d, %s;", n, round)), 100)
		all.Go(func() {
			<-gate
			switch err := write(body); {
			case err == nil:
				winners.Add(1)
				winner.Store(&body)
			case store.Classify(err) != contract.Exists && store.Classify(err) != contract.Conflict:
				t.Errorf("racer %d: %v", n, err)
			}
		})
	}
	close(gate)
	all.Wait()
	if n := winners.Load(); n != 1 {
		t.Fatalf("%s: %d winners", key, n)
	}
	if got, _, err := s.Read(context.Background(), key); err != nil || !bytes.Equal(got, *winner.Load()) {
		t.Fatalf("%s holds %.20q, and the winner wrote %.20q; %v", key, got, *winner.Load(), err)
	}
}

func testCreateRace(t *testing.T, s *store.Store, rounds int) {
	for round := range rounds {
		key := fmt.Sprintf("race/%d.json", round)
		oneWins(t, s, key, func(body []byte) error { return s.Create(context.Background(), key, body) })
	}
	t.Logf("%d rounds of %d creators: one winner each", rounds, racers)
}

// testReplaceRace: all of them read one version, and one may replace it.
func testReplaceRace(t *testing.T, s *store.Store, rounds int) {
	const key = "race/replace.json"
	must(t, "create", s.Put(t.Context(), key, []byte("first")))
	for range rounds {
		_, token, err := s.Read(t.Context(), key)
		must(t, "read", err)
		oneWins(t, s, key, func(body []byte) error { return s.Replace(context.Background(), key, body, token) })
	}
	t.Logf("%d rounds of %d replacers: one winner each", rounds, racers)
}

// testProcessRace: several processes, as the pods of one index are, create the same
// keys, each in an order in which they meet.
func testProcessRace(t *testing.T, url string, rounds int) {
	const processes = 4
	var all [processes]*exec.Cmd
	var outputs [processes]bytes.Buffer
	var gates [processes]io.WriteCloser
	for n := range all {
		cmd := helperCommand("race", url)
		cmd.Stdout, cmd.Stderr = &outputs[n], os.Stderr
		cmd.Env = append(cmd.Env, fmt.Sprint("NTH_TEST_ROUNDS=", rounds))
		var err error
		gates[n], err = cmd.StdinPipe()
		must(t, "pipe", err)
		must(t, "start", cmd.Start())
		all[n] = cmd
	}
	for _, gate := range gates {
		must(t, "open the gate", gate.Close())
	}
	winners := map[string]int{}
	for n, cmd := range all {
		must(t, "wait", cmd.Wait())
		for _, key := range strings.Fields(outputs[n].String()) {
			winners[key]++
		}
	}
	for round := range rounds {
		if key := raceKey(round); winners[key] != 1 {
			t.Errorf("%s: %d winners", key, winners[key])
		}
	}
}

func raceKey(round int) string { return fmt.Sprintf("processes/%d.json", round) }

// raceToCreate prints the keys that this process was the one to create.
func raceToCreate(s *store.Store) error {
	var rounds int
	if _, err := fmt.Sscan(os.Getenv("NTH_TEST_ROUNDS"), &rounds); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil { // the gate
		return err
	}
	for round := range rounds {
		err := s.Create(context.Background(), raceKey(round), []byte(fmt.Sprint(os.Getpid())))
		switch {
		case err == nil:
			fmt.Println(raceKey(round))
		case store.Classify(err) != contract.Exists && store.Classify(err) != contract.Conflict:
			return err
		}
	}
	return nil
}
