//go:build linux

package queues

import (
	"fmt"
	"slices"
	"testing"
)

// TestRetries: a task's command is run again in its delivery, which stays one: its lease goes
// on, no other worker sees it, and what fails to the end is delivered again as a whole.
func TestRetries(t *testing.T) {
	for _, jobs := range []int{1, 3} {
		t.Run(fmt.Sprint(jobs), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, queueKinds[0].start(t), "--retries=1", "--max-attempts=2", "--lease=2s", fmt.Sprint("--jobs=", jobs))
			s.q.fill("a", "b", "c")
			way := `cd %s; echo "<<.Task>> <<.Attempt>> $NTH_ITEM_RETRY" >>tries
case <<.Task>> in a) true;; b) [ "$NTH_ITEM_RETRY" = 1 ];; c) [ "$NTH_ITEM_RETRY" = 1 ] && [ <<.Attempt>> = 2 ];; esac`
			s.start(0, []string{"sh", "-c", fmt.Sprintf(way, s.dir)}).ends(0, "exit code 1; running it again in 1s", "exit code 1, after 1 retry", "the task is delivered again in 1s")
			s.done(3)
			var got []string
			for tries := s.lines("tries"); len(tries) >= 3; tries = tries[3:] {
				got = append(got, fmt.Sprint(tries[:3]))
			}
			slices.Sort(got)
			if want := []string{"[a 1 0]", "[b 1 0]", "[b 1 1]", "[c 1 0]", "[c 1 1]", "[c 2 0]", "[c 2 1]"}; !slices.Equal(got, want) {
				t.Errorf("tries %v, want %v", got, want)
			}
		})
	}
}
