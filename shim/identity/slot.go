package identity

import (
	"fmt"
	"math"
	"strconv"
)

// Slot is the variable by which whoever runs several at the same time, as nth local does,
// tells each run its slot. The command sees NTH_ITEM_SLOT.
const Slot = "NTH_SLOT"

// ItemSlot is the variable of the command that holds its slot.
const ItemSlot = "NTH_ITEM_SLOT"

// ItemRetry is the variable of the command that holds how often it has failed before in its
// run, with --retries.
const ItemRetry = "NTH_ITEM_RETRY"

// RetryVariable tells the command which retry it is, NAME=VALUE; 0 is the first try.
func RetryVariable(n int) string { return ItemRetry + "=" + strconv.Itoa(n) }

// place finds the slot.
func (id *Identity) place(env lookup) (err error) {
	text, _ := env(Slot)
	if text == "" {
		return nil
	}
	if id.Slot, err = parseIndex(text); err == nil && id.Slot > math.MaxInt32 {
		err = fmt.Errorf("%d is too large", id.Slot)
	}
	if err != nil {
		return setup("read the slot in", Slot, err, "nth local sets it: it is the place, from 0, among what runs at the same time")
	}
	return nil
}

// SlotOf gives the slot of the n-th of so many commands that this run has at the same time:
// no other run beside it has that.
func (id Identity) SlotOf(jobs, n int) int64 { return id.Slot*int64(jobs) + int64(n) }

// SlotVariable tells the command its slot, NAME=VALUE.
func (id Identity) SlotVariable() string { return ItemSlot + "=" + strconv.FormatInt(id.Slot, 10) }
