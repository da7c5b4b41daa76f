package marker

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Content is what makes an item what it is; two runs with equal content do the
// same work. Everything is in its stable form.
type Content struct {
	Command []string
	Env     []string // NAME=VALUE of --env
	URLs    []string // inputs and outputs
	Task    []string
	Extra   []string // --digest-extra
}

// Digest gives the digest of the content, "v1:sha256:<hex>". Lengths and counts
// go before what they count, so that no two contents can run into one another.
func (c Content) Digest() string {
	h := sha256.New()
	number := func(n int) {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		h.Write(b[:])
	}
	for _, list := range [][]string{c.Command, c.Env, c.URLs, c.Task, c.Extra} {
		number(len(list))
		for _, part := range list {
			number(len(part))
			h.Write([]byte(part))
		}
	}
	return "v1:sha256:" + hex.EncodeToString(h.Sum(nil))
}
