package task

import "testing"

// TestKey: a task's marker has a name of its own, of whatever queue it is; and always the
// same one, or what is done would be done again by the next version.
func TestKey(t *testing.T) {
	seen := map[string][3]string{}
	for _, of := range [][3]string{{"redis", "q", "7"}, {"redis", "q", "8"}, {"redis", "r", "7"}, {"sqs", "q", "7"}, {"redis", "", "q7"}, {"redisq", "", "7"}, {"redis", "q7", ""}, {"redis", "q1:7", ""}, {"redis", "q", "1:7"}} {
		key := Key(of[0], of[1], of[2])
		if other, there := seen[key]; there {
			t.Errorf("%q and %q have one key", of, other)
		}
		seen[key] = of
	}
	if got, want := Key("redis", "q", "7"), "8f4749bf382ab1741f56b56622735cbd8c4ffab5489d34776176a698f56bb746"; got != want {
		t.Errorf("the key is %s, and was %s", got, want)
	}
}
