package main

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// debians are the architectures that Debian has, by Go's names.
var debians = map[string]string{"amd64": "amd64", "arm64": "arm64", "arm": "armhf", "ppc64le": "ppc64el", "s390x": "s390x", "riscv64": "riscv64"}

// writePackages writes a Debian package for each Linux.
func writePackages(r *release) error {
	share, err := r.share("share/zsh/vendor-completions/_nth")
	if err != nil {
		return err
	}
	terms, err := os.ReadFile(r.dir + "/" + licencesFile)
	if err != nil {
		return err
	}
	changes, err := zipped([]byte(fmt.Sprintf("nth (%s) unstable; urgency=medium\n\n  * See NOTES.md of the release.\n\n -- %s  %s\n",
		r.debianVersion(), maintainer, r.at.Format("Mon, 02 Jan 2006 15:04:05 -0700"))))
	if err != nil {
		return err
	}
	files := []entry{{"usr/share/doc/nth/copyright", 0o644, []byte("nth holds code of others. Their terms are in " + licencesFile + ", beside this file.\n")},
		{"usr/share/doc/nth/" + licencesFile, 0o644, terms}, {"usr/share/doc/nth/changelog.gz", 0o644, changes}}
	for _, e := range share {
		if e.name = "usr/" + e.name; strings.Contains(e.name, "/man/") {
			e.name += ".gz"
			if e.body, err = zipped(e.body); err != nil {
				return err
			}
		}
		files = append(files, e)
	}
	for _, p := range r.programs {
		arch := debians[p.settings["GOARCH"]]
		if p.settings["GOOS"] != "linux" || arch == "" {
			continue
		}
		body, err := r.debian(arch, append([]entry{{"usr/bin/nth", 0o755, p.body}}, files...))
		if err != nil {
			return err
		}
		if err := r.write("nth_"+r.debianVersion()+"_"+arch+".deb", body); err != nil {
			return err
		}
	}
	return nil
}

const maintainer = "nth <nth@example.com>"

// debian makes a package: an archive of ar, of the format's number, of what is said of the
// package, and of its files.
func (r *release) debian(arch string, files []entry) ([]byte, error) {
	size := 0
	var sums strings.Builder
	for _, e := range withParents(files) {
		if size++; e.body != nil { // a directory counts as one kibibyte
			size += len(e.body) / 1024
			fmt.Fprintf(&sums, "%x  %s\n", md5.Sum(e.body), e.name)
		}
	}
	control := fmt.Sprintf(`Package: nth
Version: %s
Architecture: %s
Maintainer: %s
Installed-Size: %d
Section: utils
Priority: optional
Description: run one index of a batch job once
 nth turns any container image into a safe worker of an indexed batch job: it
 finds out which index it is, skips it if its completion marker is there, runs
 the command as PID 1 should, and writes the marker on success.
`, r.debianVersion(), arch, maintainer, size)
	said, err := archive("./", []entry{{"control", 0o644, []byte(control)}, {"md5sums", 0o644, []byte(sums.String())}}, r.at)
	if err != nil {
		return nil, err
	}
	data, err := archive("./", files, r.at)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, part := range []entry{{"debian-binary", 0o644, []byte("2.0\n")}, {"control.tar.gz", 0o644, said}, {"data.tar.gz", 0o644, data}} {
		if strings.HasSuffix(part.name, ".gz") {
			if part.body, err = zipped(part.body); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", part.name, r.at.Unix(), 0, 0, 0o100000|part.mode, len(part.body))
		b.Write(part.body)
		if len(part.body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

var noDebian = regexp.MustCompile(`[^0-9A-Za-z.+~]+`)

// debianVersion is the version as Debian sorts it: v1.2.0-rc.1 comes before 1.2.0, and
// what git says of a commit after v1.2.0 behind it.
func (r *release) debianVersion() string {
	n := r.number()
	if n[0] < '0' || n[0] > '9' || !strings.Contains(n, ".") {
		n = "0~" + r.at.Format("20060102150405") + "." + n // a commit's hash has no order
	}
	behind := after.FindString(n)
	n = strings.TrimSuffix(n, behind)
	return noDebian.ReplaceAllString(strings.Replace(n, "-", "~", 1), ".") + noDebian.ReplaceAllString(strings.Replace(behind, "-", "+", 1), ".")
}
