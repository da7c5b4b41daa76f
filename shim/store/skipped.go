package store

import "nth/shim/store/contract"

// Skipped is what the last listing met that can't be a blob; most stores have only blobs.
func (s *Store) Skipped() []contract.Skipped {
	var k contract.Skipper
	if s.bucket.As(&k) {
		return k.Skipped()
	}
	return nil
}
