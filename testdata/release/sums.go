package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sumsFile has the checksums of all other files, as sha256sum checks them.
const sumsFile = "SHA256SUMS"

func writeSums(r *release) error {
	files, err := os.ReadDir(r.dir) // in the order of their names
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, f := range files {
		if f.Name() == sumsFile {
			continue
		}
		body, err := os.ReadFile(filepath.Join(r.dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", digest(body), f.Name())
	}
	return r.write(sumsFile, []byte(b.String()))
}

// digest is a SHA-256 in hex.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
