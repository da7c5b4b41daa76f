package commit

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"nth/shim/marker"
	"nth/testdata/harness"
)

var (
	seeds = flag.Int("seeds", 10_000, "how many worlds the simulation makes")
	seed  = flag.Uint64("seed", 0, "make this world alone, and tell what happens")
)

// kinds are the worlds, one after the other.
var kinds = []kind{
	{},
	{froze: true},
	{claimed: true},
	{froze: true, claimed: true},
	{froze: true, onChange: marker.OnChangeRerun},
	{froze: true, onChange: marker.OnChangeFail},
	{froze: true, admin: quiet(commitFirst)},
	{froze: true, claimed: true, onChange: marker.OnChangeRerun},
	{froze: true, onChange: marker.OnChangeSkip},
}

func kindOf(n uint64) kind { return kinds[n%uint64(len(kinds))] }

// TestSimulation: the real code, in worlds with slow, lost and late calls, runs that are
// killed or stand still at any step, and clocks that go differently.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		wrong, met := simulate(t, *seed, kindOf(*seed))
		t.Logf("%+v, wrong: %q", met, wrong)
		return
	}
	worlds := *seeds
	if *seed == 0 && harness.Apart(t, "-seeds", fmt.Sprint(*seeds)) {
		worlds = min(worlds, harness.Raced)
	}
	var met count
	for n := range uint64(worlds) {
		wrong, c := simulate(t, n+1, kindOf(n+1))
		met.add(c)
		if len(wrong) > 0 {
			t.Fatalf("-seed %d: %q", n+1, wrong)
		}
	}
	t.Logf("%+v", met)
	if each := worlds / 100; met.commits < worlds || met.forwarded < each || met.lost < each || met.stale < each || met.takeovers < each || met.late < each || met.replaced < each {
		t.Error("the worlds are too easy to show anything")
	}
}

// TestBrokenRules: what the safety hangs on is missed as soon as it isn't so.
func TestBrokenRules(t *testing.T) {
	if *seed == 0 && harness.Apart(t, "-seeds", fmt.Sprint(*seeds)) {
		return
	}
	again := kind{froze: true, onChange: marker.OnChangeRerun}
	for name, k := range map[string]kind{
		"uploaded to the targets":              {rules: rules{unstaged: true}},
		"the marker before the copies":         {rules: rules{markerFirst: true}},
		"cleared away before the marker":       {rules: rules{cleanFirst: true}},
		"the last commit wins":                 {rules: rules{unconditional: true}},
		"what is gone was published":           {admin: quiet(commitFirst), rules: rules{blindAbsent: true}},
		"run again over a commit":              {rules: rules{runOver: true}},
		"what is replaced can be copied":       {froze: again.froze, onChange: again.onChange, rules: rules{keepOld: true}},
		"a marker of a replaced commit":        {froze: again.froze, onChange: again.onChange, rules: rules{blindMarker: true}},
		"a run commits twice":                  {froze: again.froze, onChange: again.onChange, rules: rules{twice: true}},
		"a reset that forgets the commit last": {admin: wild(markerFirst)},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range uint64(1000) {
				n++
				if k.rules.twice {
					n += 2000 // the rarest: 2056 shows it
				}
				if wrong, _ := simulate(t, n, k); len(wrong) > 0 {
					t.Logf("seed %d: %s", n, wrong[0])
					return
				}
			}
			t.Error("a thousand worlds don't show it")
		})
	}
}

// TestReset measures what a reset does that doesn't wait until nothing is at work, in both
// orders: see the package's comment. With either order a copy that is on its way from before
// may come to its target in the end. Far more often than that the order which forgets the
// commit last takes away the commit of a run that began in between.
func TestReset(t *testing.T) {
	if *seed == 0 && harness.Apart(t, "-seeds", fmt.Sprint(*seeds)) {
		return
	}
	const worlds = 1000
	apart := map[string]int{}
	for name, order := range map[string][]string{"commit": commitFirst, "marker": markerFirst} {
		mixed := 0
		for n := range uint64(worlds) {
			wrong, _ := simulate(t, n+1, kind{froze: true, admin: wild(order)})
			said := strings.Join(wrong, " ")
			if strings.Contains(said, "in the end the marker is of") {
				apart[name]++
			}
			if strings.Contains(said, "in the end the outputs are mixed") {
				mixed++
			}
		}
		t.Logf("the %s first: of %d worlds %d end with a marker without its commit, %d with outputs of two runs", name, worlds, apart[name], mixed)
	}
	if apart["commit"]*2 > apart["marker"] {
		t.Errorf("nth reset's order isn't the better one: %v", apart)
	}
}
