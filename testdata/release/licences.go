package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// licencesFile has the terms under which others let their code be handed on: most of them
// ask that whoever hands a program on hands them on too.
const licencesFile = "LICENSES.txt"

func writeLicences(r *release) error {
	text, err := licences(r)
	if err != nil {
		return err
	}
	return r.write(licencesFile, text)
}

// licences gives the terms of Go and of each module of which code is in a program.
func licences(r *release) ([]byte, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	folders, err := moduleFolders()
	if err != nil {
		return nil, err
	}
	folders["Go"] = strings.TrimSpace(string(root))
	names := map[string]bool{"Go": true}
	for _, p := range r.programs {
		for _, m := range p.info.Deps {
			if m.Replace == nil {
				names[m.Path] = true
			}
		}
	}
	var sorted []string
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	var b bytes.Buffer
	b.WriteString("nth holds code of others, under the terms below.\n")
	for _, name := range sorted {
		files, err := filepath.Glob(filepath.Join(folders[name], "[LNC][IOE]*")) // LICENSE, NOTICE, COPYING
		if err != nil {
			return nil, err
		}
		terms := 0
		for _, path := range files {
			base := filepath.Base(path)
			if !strings.HasPrefix(base, "LICEN") && !strings.HasPrefix(base, "NOTICE") && !strings.HasPrefix(base, "COPYING") {
				continue
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			terms++
			fmt.Fprintf(&b, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("-", 78), name, base, bytes.TrimSpace(body))
		}
		if terms == 0 {
			return nil, fmt.Errorf("%s has no licence in %q", name, folders[name])
		}
	}
	return b.Bytes(), nil
}

// moduleFolders tells where the code of each module is.
func moduleFolders() (map[string]string, error) {
	cmd := exec.Command("go", "list", "-mod=readonly", "-m", "-json=Path,Dir", "all")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	folders := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return folders, nil
		} else if err != nil {
			return nil, err
		}
		folders[m.Path] = m.Dir
	}
}
