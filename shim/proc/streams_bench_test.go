package proc_test

import (
	"os/exec"
	"strconv"
	"testing"
)

// BenchmarkStreams puts a cat whose stdin and stdout are streams beside the same between
// two others in a pipeline, in one run:
//
//	go test ./shim/proc -run '^$' -bench Streams -benchtime 5x
func BenchmarkStreams(b *testing.B) {
	const bytes = 2 << 30
	b.Run("nth", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			p := hosted(b, false, host{Args: []string{"cat"}, Feed: &source{Bytes: bytes, Plain: true}, Take: &sink{Bytes: -1, Plain: true}})
			p.begin()
			if got := p.tells(); got.Fed != "" || got.Taken != "" || got.ExitCode != 0 || got.Read != bytes {
				b.Fatalf("%+v", got)
			}
		}
	})
	b.Run("pipeline", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			if out, err := exec.Command("sh", "-c", "head -c "+strconv.Itoa(bytes)+" /dev/zero | cat | cat >/dev/null").CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}
