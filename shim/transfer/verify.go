package transfer

import "nth/shim/store"

// verify holds the checksum of all bytes that came against what the store says of the blob,
// where it says anything.
func verify(e *store.Entry, sum uint32) error {
	if e.CRC32C == nil || *e.CRC32C == sum {
		return nil
	}
	return damaged(sum, *e.CRC32C)
}
