package check

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// TestExpand: the URL is what a run would have, as far as it is known here.
func TestExpand(t *testing.T) {
	seven := "7"
	many := int64(10)
	for _, c := range []struct {
		config Config
		env    map[string]string
		want   string
		code   failure.Code
	}{
		{config: Config{Store: config.Store{Markers: "s3://b/p"}}, want: "s3://b/p"},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Job>>/<<.JobUID>>"}, Job: "j", JobUID: "u"}, want: "s3://b/j/u"},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Completions>>"}, Completions: &many}, want: "s3://b/10"},
		{config: Config{Store: config.Store{Markers: `s3://b/<<env "DAY">>`}}, env: map[string]string{"DAY": "mon"}, want: "s3://b/mon"},
		{config: Config{Store: config.Store{Markers: `s3://b/<<secret "DAY">>`}}, env: map[string]string{"DAY": "monday"}, want: "s3://b/monday"},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Index>>"}, Index: &seven}, want: "s3://b/7"},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Index>>-<<.Platform>>"}}, env: map[string]string{"JOB_COMPLETION_INDEX": "3"}, want: "s3://b/3-kubernetes"},
		{config: Config{Store: config.Store{Markers: "s3://b/p"}}, env: map[string]string{"JOB_COMPLETION_INDEX": "x"}, want: "s3://b/p"},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Index>>"}}, code: failure.Usage},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Job>>"}}, code: failure.Setup},
		{config: Config{Store: config.Store{Markers: `s3://b/<<env "DAY">>`}}, code: failure.Setup},
		{config: Config{Store: config.Store{Markers: "s3://b/<<.Nothing>>"}}, code: failure.Usage},
		{config: Config{}, code: failure.Usage},
	} {
		t.Run(c.config.Markers, func(t *testing.T) {
			p := edge.NewProcess(edge.World{RunID: "r", LookupEnv: func(name string) (string, bool) {
				value, ok := c.env[name]
				return value, ok
			}})
			got, err := expand(c.config, p)
			if c.code == 0 && err == nil {
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			} else if err == nil || failure.From(err).Code != c.code {
				t.Errorf("%v, want code %d", err, c.code)
			}
		})
	}
}

// TestJudge: who has won a race.
func TestJudge(t *testing.T) {
	answer := func(k contract.Kind) error { return &contract.Error{Kind: k, Cause: errors.New("on purpose")} }
	won, there, lost := error(nil), answer(contract.Exists), answer(contract.Unreachable)
	for _, c := range []struct {
		name  string
		errs  []error
		blob  []byte
		read  error
		says  string
		tries bool // it may be tried again
	}{
		{name: "one winner", errs: []error{there, won, there}, blob: racer(1)},
		{name: "one winner, a lost reply", errs: []error{lost, won, there}, blob: racer(1)},
		{name: "the winner's reply was lost", errs: []error{there, there, lost}, blob: racer(2)},
		{name: "two winners", errs: []error{won, won, there}, blob: racer(1), says: "2 of 3 won"},
		{name: "no winner", errs: []error{there, there, there}, says: "nobody won"},
		{name: "the other's blob", errs: []error{there, won, there}, blob: racer(0), says: "what is there is not the winner's"},
		{name: "the blob of one who lost its reply", errs: []error{lost, won, there}, blob: racer(0), says: "what is there is not the winner's"},
		{name: "a stranger's blob", errs: []error{there, there, lost}, blob: []byte("x"), says: "what is there is not the winner's"},
		{name: "all lost", errs: []error{lost, lost, lost}, read: answer(contract.Absent), says: "on purpose", tries: true},
		{name: "nobody can say", errs: []error{there, won, there}, read: lost, says: "on purpose", tries: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := judge(c.errs, c.blob, c.read)
			if (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
				t.Errorf("%v, want %q", err, c.says)
			}
			if err != nil && (store.Classify(err) == contract.Unreachable) != c.tries {
				t.Errorf("the kind is %d", store.Classify(err))
			}
		})
	}
}
