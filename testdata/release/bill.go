package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"
	"time"
)

// bill is a bill of materials in CycloneDX's form: what Go says is in a program, and what
// Go doesn't know of, for it is patched before it is built.
type bill struct {
	Schema       string      `json:"$schema"`
	Format       string      `json:"bomFormat"`
	Spec         string      `json:"specVersion"`
	SerialNumber string      `json:"serialNumber"`
	Version      int         `json:"version"`
	Metadata     metadata    `json:"metadata"`
	Components   []component `json:"components"`
}

type metadata struct {
	Timestamp time.Time `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type        string     `json:"type"`
	Ref         string     `json:"bom-ref"`
	Name        string     `json:"name"`
	Version     string     `json:"version"`
	Description string     `json:"description,omitempty"`
	Hashes      []hash     `json:"hashes,omitempty"`
	URL         string     `json:"purl,omitempty"`
	Pedigree    *pedigree  `json:"pedigree,omitempty"`
	Properties  []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// pedigree tells in what a component isn't the one that has its name.
type pedigree struct {
	Patches []patch `json:"patches"`
	Notes   string  `json:"notes,omitempty"`
}

type patch struct {
	Type string `json:"type"`
	Diff diff   `json:"diff"`
}

type diff struct {
	Text attachment `json:"text"`
}

type attachment struct {
	Type    string `json:"contentType"`
	Content string `json:"content"`
}

// writeBills writes one for each program.
func writeBills(r *release) error {
	patches, err := readPatches(filepath.Join(".ci", "without"))
	if err != nil {
		return err
	}
	for _, p := range r.programs {
		b := r.bill(p, patches)
		body, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			return err
		}
		if err := r.write(strings.TrimSuffix(p.file, ".exe")+".cdx.json", append(body, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) bill(p program, patches []patchFile) bill {
	sum := digest(p.body)
	own := component{Type: "application", Ref: "nth", Name: "nth", Version: r.version, Hashes: []hash{{"SHA-256", sum}},
		Properties: []property{{"nth:commit", r.commit}}}
	var settings []string
	for key := range p.settings {
		settings = append(settings, key)
	}
	sort.Strings(settings)
	for _, key := range settings {
		own.Properties = append(own.Properties, property{"nth:build:" + key, p.settings[key]})
	}
	b := bill{Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Version: 1,
		// One program has one number, as a random one would have two.
		SerialNumber: fmt.Sprintf("urn:uuid:%s-%s-8%s-8%s-%s", sum[:8], sum[8:12], sum[13:16], sum[17:20], sum[20:32]),
		Metadata:     metadata{r.at, own}}
	b.Components = append(b.Components, standard(p.info, patches))
	for _, m := range p.info.Deps {
		b.Components = append(b.Components, r.module(p.info, m, patches))
	}
	return b
}

// standard is Go's own library.
func standard(info *buildinfo.BuildInfo, patches []patchFile) component {
	version := strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go")
	c := component{Type: "library", Ref: "std", Name: "std", Version: version, URL: "pkg:golang/std@" + version,
		Description: "Go's standard library and runtime"}
	c.patched(info, "std", patches)
	return c
}

func (r *release) module(info *buildinfo.BuildInfo, m *debug.Module, patches []patchFile) component {
	if m.Replace != nil {
		// Not the module's name or its address: who looks for its faults would find them
		// where none of its code is.
		name := path.Join("nth", m.Replace.Path)
		return component{Type: "library", Ref: name, Name: name, Version: r.version,
			Description: "nth's own stand-in for " + m.Path + " " + m.Version + ", of which no code is in the program",
			Properties:  []property{{"nth:standsInFor", m.Path + "@" + m.Version}}}
	}
	c := component{Type: "library", Ref: m.Path, Name: m.Path, Version: m.Version, URL: "pkg:golang/" + m.Path + "@" + m.Version}
	c.patched(info, m.Path, patches)
	return c
}

func (c *component) patched(info *buildinfo.BuildInfo, name string, patches []patchFile) {
	for _, p := range patches {
		if p.of(info) != name {
			continue
		}
		if c.Pedigree == nil {
			c.Pedigree = &pedigree{}
		}
		c.Pedigree.Notes = strings.TrimSpace(c.Pedigree.Notes + "\n\n" + p.why)
		c.Pedigree.Patches = append(c.Pedigree.Patches, patch{"unofficial", diff{attachment{p.kind, p.text}}})
	}
}

// patchFile is what is changed before a build.
type patchFile struct {
	target    string // the first file that is changed: MODULE/FILE
	why, text string
	kind      string
}

// of gives the module that is changed, of those in a program.
func (p patchFile) of(info *buildinfo.BuildInfo) string {
	if strings.HasPrefix(p.target, "std/") {
		return "std"
	}
	best := ""
	for _, m := range info.Deps {
		if strings.HasPrefix(p.target, m.Path+"/") && len(m.Path) > len(best) {
			best = m.Path
		}
	}
	return best
}

// readPatches reads the patches of modules, whose first lines say why, and the files that
// stand in for Go's own.
func readPatches(dir string) (list []patchFile, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "patches", "*.patch"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no patches are in %s: %v", dir, err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		why, text, found := strings.Cut(string(body), "--- a/")
		if !found {
			return nil, fmt.Errorf("%s is no patch", path)
		}
		target, _, _ := strings.Cut(text, "\n")
		list = append(list, patchFile{target: target, why: strings.TrimSpace(why), text: "--- a/" + text, kind: "text/x-diff"})
	}
	paths, err = filepath.Glob(filepath.Join(dir, "*.go.txt"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		list = append(list, patchFile{target: "std/" + name, kind: "text/x-go", text: string(body),
			why: "A package of the standard library, " + strings.TrimSuffix(name, ".go") + ", is this file and one of its own instead of all of its files."})
	}
	return list, nil
}
