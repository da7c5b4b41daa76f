package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/program"
)

// inSlot holds its slot while it runs, and waits, once, until all slots are held: what has
// the same one meanwhile says so.
const inSlot = `mkdir held/<<.Slot>> || echo "slot <<.Slot>> twice" >>wrong
[ "$NTH_ITEM_SLOT/$GPU/${NTH_SLOT-}" = "<<.Slot>>/gpu<<.Slot>>/" ] || echo "$NTH_ITEM_SLOT $GPU ${NTH_SLOT-} in <<.Slot>>" >>wrong
: >seen/<<.Slot>>
until [ "$(ls seen | wc -l)" -ge %d ]; do sleep 0.02; done
echo <<.Slot>> >>slots
rmdir held/<<.Slot>>`

// TestSlots: what runs at the same time has different slots, from 0 on as many as run at
// the same time.
func TestSlots(t *testing.T) {
	rows := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(rows, []byte("name\n"+strings.Repeat("a\n", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name         string
		args         []string
		env          []string
		least, slots int // that there are: from least to before slots
		commands     int
	}{
		{"a run", []string{"run"}, []string{"NTH_INDEX=5"}, 0, 1, 1},
		{"a run that was told", []string{"run"}, []string{"NTH_INDEX=5", "NTH_SLOT=3"}, 3, 4, 1},
		{"items", []string{"run", "--completions=1", "--items=30", "--each", "--jobs=4"}, []string{"NTH_INDEX=0"}, 0, 4, 30},
		{"fewer items than jobs", []string{"run", "--completions=1", "--items=2", "--each", "--jobs=4"}, []string{"NTH_INDEX=0"}, 0, 2, 2},
		{"items of a run that was told", []string{"run", "--completions=1", "--items=6", "--each", "--jobs=3"}, []string{"NTH_INDEX=0", "NTH_SLOT=2"}, 6, 9, 6},
		{"rows", []string{"run", "--completions=1", "--tasks=file://" + rows, "--each", "--jobs=3"}, []string{"NTH_INDEX=0"}, 0, 3, 20},
		{"indexes", []string{"local", "--completions=15", "--parallelism=4"}, []string{"NTH_SLOT=7"}, 0, 4, 15},
		{"fewer indexes than places", []string{"local", "--completions=2", "--parallelism=4"}, nil, 0, 2, 2},
		{"items of indexes", []string{"local", "--completions=4", "--parallelism=2", "--items=24", "--each", "--jobs=3"}, nil, 0, 6, 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"held", "seen"} {
				if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			args := append(tt.args, "--log-format=none", "--env=GPU=gpu<<.Slot>>", "--", "sh", "-c", fmt.Sprintf(inSlot, tt.slots-tt.least))
			_, stderr, code := program.NthIn(t, dir, tt.env, args...)
			if wrong, _ := os.ReadFile(filepath.Join(dir, "wrong")); code != 0 || len(wrong) > 0 {
				t.Fatalf("exit code %d; %s%s", code, wrong, stderr)
			}
			body, err := os.ReadFile(filepath.Join(dir, "slots"))
			if err != nil {
				t.Fatal(err)
			}
			used, commands := map[int]bool{}, strings.Fields(string(body))
			for _, word := range commands {
				slot, err := strconv.Atoi(word)
				if err != nil || slot < tt.least || slot >= tt.slots {
					t.Errorf("slot %q: want those from %d to before %d", word, tt.least, tt.slots)
				}
				used[slot] = true
			}
			if len(commands) != tt.commands || len(used) != tt.slots-tt.least {
				t.Errorf("%d commands in %d slots, want %d in %d", len(commands), len(used), tt.commands, tt.slots-tt.least)
			}
		})
	}
}

// TestSlotIsNoIdentity: what was done in one slot is done in another, and where there are
// many items, only they have slots.
func TestSlotIsNoIdentity(t *testing.T) {
	dir := t.TempDir()
	run := func(slot string, flags ...string) (string, int) {
		args := append([]string{"run", "--markers=file://" + dir + "/m?create_dir=true", "--log-format=json"}, flags...)
		out, stderr, code := program.NthIn(t, dir, []string{"NTH_INDEX=0", "NTH_SLOT=" + slot}, append(args, "--env=GPU=<<.Slot>>", "--", "echo", "slot <<.Slot>>")...)
		return out + stderr, code
	}
	for _, tt := range []struct {
		name, slot string
		flags      []string
		says       string
		code       int
	}{
		{"first", "2", nil, "slot 2", 0},
		{"again, elsewhere", "1", nil, "done already", 0},
		{"no slot", "two", nil, "NTH_SLOT", 78},
		{"of all items", "0", []string{"--completions=1", "--items=2", "--each", "--logs=file://" + dir + "/<<.Slot>>"}, "each item or task has one of its own: it stands in the command or in --env", 78},
	} {
		if got, code := run(tt.slot, tt.flags...); code != tt.code || !strings.Contains(got, tt.says) {
			t.Errorf("%s: exit code %d, want %d and %q: %s", tt.name, code, tt.code, tt.says, got)
		}
	}
}
