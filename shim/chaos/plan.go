package chaos

import (
	"math"
	"math/rand/v2"
	"time"
)

// kind is one way in which a run is disturbed.
type kind int

const (
	kill    kind = iota // nth alone is killed outright: what it has started goes with it
	killAll             // and all that it has started at the same time, as by an out-of-memory killer
	stop                // nth is asked to end, as by a drain
	pause               // all of it stands still for a while
	freeze              // all of it stands still while another run of the index does the work, and then wakes up
	double              // two runs of the index work at the same time
	rerun               // it ended well, and its marker was never written: the index runs again
)

// A Job as a whole has them about as often as they stand here; each index ends with a rerun.
var bag = [...]kind{kill, double, kill, freeze, stop, pause, killAll, rerun}

// step is what happens to one run of an index.
type step struct {
	kind kind
	at   float64 // when, as a part of what the command takes, from its start on
	long float64 // how long a pause is, likewise
}

// How often an index is disturbed: the fewer there are, the more often each.
const (
	goal         = 40
	fewest, most = 2, 8
)

// plan is what is done to the runs of a Job. It follows from the seed and the number of
// indexes alone.
type plan struct {
	seed    uint64
	indexes int64
}

func (p plan) each() int { return int(min(most, max(fewest, (goal+p.indexes-1)/p.indexes))) }

// steps gives what is done to the runs of an index, one after the other.
func (p plan) steps(index int64) []step {
	random := rand.New(rand.NewPCG(p.seed, uint64(index)))
	n := p.each()
	list := make([]step, 0, n+1)
	for k := range n {
		list = append(list, step{p.kind(index*int64(n) + int64(k)), late(random), 0.2 + random.Float64()})
	}
	return append(list, step{kind: rerun})
}

// kind gives the kind at a place in the Job's line of steps, of which each bagful has them all.
func (p plan) kind(place int64) kind {
	size := int64(len(bag))
	order := rand.New(rand.NewPCG(p.seed, math.MaxUint64-uint64(place/size))).Perm(len(bag))
	return bag[order[place%size]]
}

// late gives a part of the whole, more often towards its end: that is where results are written.
func late(random *rand.Rand) float64 { return 0.97 * math.Sqrt(random.Float64()) }

// The disturbed Job may take about this many times as long as the undisturbed one; after that
// nothing is disturbed any more.
const (
	times    = 10
	atLeast  = time.Minute
	maxPause = 10 * time.Second
	minPause = 20 * time.Millisecond

	freezeTimes = 3 // as long as the command takes, another run is waited for
)

// patience is how long disturbances go on after an undisturbed Job that took this long.
func patience(undisturbed time.Duration) time.Duration { return max(atLeast, times*undisturbed) }

// part gives a part of a duration.
func part(of time.Duration, f float64) time.Duration { return time.Duration(f * float64(of)) }
