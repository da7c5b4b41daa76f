package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

func TestSlot(t *testing.T) {
	for _, tt := range []struct {
		text string
		slot int64
		code failure.Code // 0: it is one
	}{
		{"", 0, 0}, {"0", 0, 0}, {"3", 3, 0}, {"-1", 0, failure.Setup}, {"1x", 0, failure.Setup}, {"0x1", 0, failure.Setup}, {" 1", 0, failure.Setup},
		{"2147483647", 2147483647, 0}, {"2147483648", 0, failure.Setup}, {"99999999999999999999", 0, failure.Setup},
	} {
		vars := env{"JOB_COMPLETION_INDEX": "7", "NTH_SLOT": tt.text, "NTH_ITEM_SLOT": "9"}
		id, err := Resolve(Settings{}, vars.lookup, "")
		if tt.code != 0 {
			if err == nil || failure.From(err).Code != tt.code {
				t.Errorf("%q: %v", tt.text, err)
			}
			continue
		}
		if err != nil || id.Slot != tt.slot {
			t.Errorf("%q: %d, %v", tt.text, id.Slot, err)
		}
		got := parse(t, id.Environment(vars.environ(), nil, "r"))
		if _, there := got["NTH_SLOT"]; there || got["NTH_ITEM_SLOT"] != map[bool]string{true: "0", false: tt.text}[tt.text == ""] {
			t.Errorf("%q: the command sees %v", tt.text, got)
		}
	}
}

// TestSlotOf: those of runs beside each other are all different ones, from 0 without a gap.
func TestSlotOf(t *testing.T) {
	var got []int64
	for slot := range int64(3) {
		for n := range 4 {
			got = append(got, Identity{Slot: slot}.SlotOf(4, n))
		}
	}
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, got); diff != "" {
		t.Error(diff)
	}
}
