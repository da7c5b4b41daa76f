package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"path"
	"sort"
	"time"
)

// entry is a file of an archive.
type entry struct {
	name string // relative, with slashes
	mode int64
	body []byte
}

// archive makes a tar of files, with the directories that they are in: all of root's and of
// one time, in the order of their names. Prefix is put before each name.
func archive(prefix string, files []entry, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range withParents(files) {
		h := &tar.Header{Name: prefix + e.name, Mode: e.mode, Size: int64(len(e.body)), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR, Uname: "root", Gname: "root"}
		if e.body == nil {
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.body); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// withParents adds the directories, whose bodies are nil, and sorts.
func withParents(files []entry) []entry {
	all := append([]entry(nil), files...)
	seen := map[string]bool{".": true}
	for _, e := range files {
		for dir := path.Dir(e.name); !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			all = append(all, entry{name: dir, mode: 0o755})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all
}

// zipped compresses by gzip, without a name or a time.
func zipped(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
