package transfer

import (
	"context"
	"io/fs"
	"os"

	"nth/shim/store"
)

// Unknown is the entry of a blob that nobody has asked about: the first answer says how
// large it is, and which version. Of a blob that fits into a part that is the only one.
func Unknown(key string) store.Entry { return store.Entry{Key: key, Size: -1} }

// Download writes one version of a blob to a file, which is as long as the blob then. An
// error of the kind Exists says that it is another version by now; a *FileError is one of
// the file. After any error the file holds anything. The mode is that of the file which the
// blob was: 0 where nobody has written it down, and where it is known already that the blob
// is empty, for then nobody is asked.
func (m *Mover) Download(ctx context.Context, s *store.Store, e store.Entry, to *os.File) (Sum, fs.FileMode, error) {
	d := &download{m: m, s: s, e: &e, to: to, size: m.partSize()}
	if e.Size != 0 && !known(&e) { // all parts must be of one version
		d.sums = make([]uint32, 1)
		if err := d.part(ctx, 0); err != nil {
			return Sum{}, 0, err
		}
	}
	parts := (e.Size + d.size - 1) / d.size
	begun := int64(len(d.sums))
	d.sums = append(d.sums, make([]uint32, max(parts-begun, 0))...)
	err := store.EachOf(ctx, int(parts-begun), m.atOnce(), func(ctx context.Context, k int) error { return d.part(ctx, begun+int64(k)) })
	if err == nil {
		err = m.within(ctx, to.Name(), func() error { return to.Truncate(e.Size) })
	}
	if err != nil {
		return Sum{}, 0, err
	}
	sum := Sum{Size: e.Size}
	for k := range parts {
		sum.CRC32C = combine(sum.CRC32C, d.sums[k], min(d.size, e.Size-k*d.size))
	}
	return sum, d.mode, verify(d.e, sum.CRC32C)
}

type download struct {
	m    *Mover
	s    *store.Store
	e    *store.Entry
	to   *os.File
	size int64       // of a part
	sums []uint32    // of each
	mode fs.FileMode // the first part's answer names it
}

// part brings a part into its place in the file.
func (d *download) part(ctx context.Context, k int64) error {
	f := &fetch{m: d.m, s: d.s, e: d.e, at: k * d.size, end: (k + 1) * d.size, least: chunk}
	if d.e.Size >= 0 {
		f.end = min(f.end, d.e.Size)
	}
	give, err := d.m.hold(ctx, f.end-f.at)
	if err != nil {
		return err
	}
	defer give()
	var buf []byte
	f.room = func() []byte {
		if buf == nil {
			buf = make([]byte, min(chunk, f.end-f.at))
		}
		return buf
	}
	var sum Sum
	f.took = func(p []byte, at int64) error {
		sum.add(p)
		return d.m.within(ctx, d.to.Name(), func() error {
			_, err := d.to.WriteAt(p, at)
			return err
		})
	}
	err = f.run(ctx)
	if d.sums[k] = sum.CRC32C; k == 0 {
		d.mode = f.mode
	}
	return err
}
