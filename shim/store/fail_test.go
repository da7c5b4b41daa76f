package store_test

import (
	"errors"
	"testing"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// TestFail: the exit code of each kind of error, by whose matter it is. Only the Job's
// own is 78, and only an index's or a task's is 65 or 66.
func TestFail(t *testing.T) {
	whose := []failure.Whose{failure.TheJob, failure.OneIndex, failure.OneTask, failure.TheServer}
	for _, tt := range []struct {
		name string
		err  error
		want [4]failure.Code
	}{
		{"other", kind(contract.Other), [4]failure.Code{69, 69, 69, 69}},
		{"absent", kind(contract.Absent), [4]failure.Code{69, 66, 66, 69}},
		{"exists", kind(contract.Exists), [4]failure.Code{69, 69, 69, 69}},
		{"conflict", kind(contract.Conflict), [4]failure.Code{69, 69, 69, 69}},
		{"unreachable", kind(contract.Unreachable), [4]failure.Code{69, 69, 69, 69}},
		{"denied", kind(contract.Denied), [4]failure.Code{77, 77, 77, 77}},
		{"refused", kind(contract.Refused), [4]failure.Code{78, 65, 65, 69}},
		{"malformed", kind(contract.Malformed), [4]failure.Code{78, 65, 65, 69}},
		{"unsupported", kind(contract.Unsupported), [4]failure.Code{78, 69, 69, 69}},
		{"no such queue", kind(contract.NoSuch), [4]failure.Code{78, 65, 65, 69}},
		{"invalid", kind(contract.Invalid), [4]failure.Code{78, 78, 65, 69}},
		{"lost", kind(contract.Lost), [4]failure.Code{69, 69, 69, 69}},
		{"not a store's error", errors.New("x"), [4]failure.Code{69, 69, 69, 69}},
	} {
		for i, of := range whose {
			if got := store.Fail(tt.err, of, "ask", "it").Code; got != tt.want[i] {
				t.Errorf("%s, %d: %d, want %d", tt.name, i, got, tt.want[i])
			}
		}
	}
}

// TestInTheMiddle: what a server says in the middle of the work is tried again, but for
// what doesn't come from a broken server.
func TestInTheMiddle(t *testing.T) {
	for _, tt := range []struct {
		kind        contract.Kind
		ever, first bool // final in the middle, and at the beginning
	}{
		{contract.Other, false, false}, {contract.Absent, true, true}, {contract.Exists, true, true}, {contract.Conflict, false, false},
		{contract.Unreachable, false, false}, {contract.Denied, false, false}, {contract.Refused, false, true}, {contract.Malformed, false, true},
		{contract.Unsupported, false, true}, {contract.NoSuch, false, true}, {contract.Invalid, true, true}, {contract.Lost, true, true},
	} {
		if ever, first := store.InTheMiddle(tt.kind), tt.kind.Final(); ever != tt.ever || first != tt.first {
			t.Errorf("%d: in the middle %v, at first %v", tt.kind, ever, first)
		}
	}
}
