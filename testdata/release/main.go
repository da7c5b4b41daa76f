// Command release makes what a release has beside its programs: bills of material, an image,
// Debian packages, manuals, completions, notes, licences and checksums. .ci/release builds
// the programs and calls it:
//
//	go run ./testdata/release -version v1.2.3 -commit HASH -epoch SECONDS FOLDER
//
// What it writes follows from the programs, this repository and these three words alone:
// no clock, user, path or random number is in it.
package main

import (
	"debug/buildinfo"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// release is what all parts of one are told.
type release struct {
	dir             string // of its files
	version, commit string // as the programs say it
	at              time.Time
	programs        []program
}

// program is nth for one platform.
type program struct {
	file     string
	body     []byte
	info     *buildinfo.BuildInfo
	settings map[string]string // how Go says that it was built
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	r := release{}
	flag.StringVar(&r.version, "version", "", "the version that the programs say")
	flag.StringVar(&r.commit, "commit", "", "the commit that they say")
	epoch := flag.Int64("epoch", 0, "the time of all files, in seconds since 1970")
	flag.Parse()
	if flag.NArg() != 1 || r.version == "" || r.commit == "" || *epoch <= 0 {
		flag.Usage()
		os.Exit(64)
	}
	r.dir, r.at = flag.Arg(0), time.Unix(*epoch, 0).UTC()
	if err := r.make(); err != nil {
		log.Fatal(err)
	}
}

func (r *release) make() error {
	if err := r.read(); err != nil {
		return err
	}
	for _, part := range []func(*release) error{writeNotes, writeLicences, writeBills, writeImage, writeShare, writePackages, writeSums} {
		if err := part(r); err != nil {
			return err
		}
	}
	return nil
}

// read finds the programs, each called nth-OS-ARCHITECTURE, or with .exe behind it.
func (r *release) read() error {
	found, err := filepath.Glob(filepath.Join(r.dir, "nth-*"))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("no program is in %s: %v", r.dir, err)
	}
	sort.Strings(found)
	for _, path := range found {
		p := program{file: filepath.Base(path), settings: map[string]string{}}
		if p.info, err = buildinfo.ReadFile(path); err != nil {
			return err
		}
		if p.body, err = os.ReadFile(path); err != nil {
			return err
		}
		for _, s := range p.info.Settings {
			p.settings[s.Key] = s.Value
		}
		if want := "nth-" + p.settings["GOOS"] + "-" + p.settings["GOARCH"]; strings.TrimSuffix(p.file, ".exe") != want {
			return fmt.Errorf("%s is a program for another platform: %s", path, want)
		}
		r.programs = append(r.programs, p)
	}
	return nil
}

// write makes a file of the release.
func (r *release) write(name string, body []byte) error {
	return os.WriteFile(filepath.Join(r.dir, name), body, 0o644)
}

// number is the version as tools want it that know no v before one.
func (r *release) number() string {
	if n, ok := strings.CutPrefix(r.version, "v"); ok && n != "" && n[0] >= '0' && n[0] <= '9' {
		return n
	}
	return r.version
}

// variant is the kind of processor that a program for linux/arm needs, as images call it.
func (p program) variant() string {
	if p.settings["GOARCH"] != "arm" {
		return ""
	}
	version, _, _ := strings.Cut(p.settings["GOARM"], ",")
	if _, err := strconv.Atoi(version); err != nil {
		return ""
	}
	return "v" + version
}
