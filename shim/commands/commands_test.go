package commands

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/flags"
)

// TestVariables: the flags' variables, which a start derives from the fields alone,
// are those that kong would read. A variable that isn't found is ignored.
func TestVariables(t *testing.T) {
	for _, c := range Table("") {
		target := c.Flags()
		rows, err := flags.Reference(target)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, r := range rows {
			if r.Env != "" {
				want[r.Env] = true
			}
		}
		if diff := cmp.Diff(want, flags.Variables(reflect.ValueOf(target).Elem().Interface())); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
	}
}

// TestOwn: what a command of a user's must not see is every variable of a run and of what
// begins runs.
func TestOwn(t *testing.T) {
	own := World("v").Own
	for _, c := range Table("") {
		if !slices.Contains([]string{"run", "plan", "local"}, c.Word()) {
			continue
		}
		for name := range flags.Variables(reflect.ValueOf(c.Flags()).Elem().Interface()) {
			if !own(name) {
				t.Errorf("%s of %s is handed on", name, c.Name)
			}
		}
	}
}

// TestSpecs: what the help names is there.
func TestSpecs(t *testing.T) {
	for _, c := range Table("") {
		rows, err := flags.Reference(c.Flags())
		if err != nil {
			t.Fatal(err)
		}
		names, groups := map[string]bool{}, map[string]bool{"": true}
		for _, r := range rows {
			name, _, _ := strings.Cut(r.Flag, " ")
			names[name[len("--"):]], groups[r.Group] = true, true
			if r.Group == "" || r.Help == "" {
				t.Errorf("%s: %s has no group or no text", c.Name, r.Flag)
			}
		}
		for _, name := range c.Common {
			if !names[name] {
				t.Errorf("%s has no flag --%s", c.Name, name)
			}
		}
		for _, group := range append(c.Own, c.Aside) {
			if !groups[group] {
				t.Errorf("%s has no group %q", c.Name, group)
			}
		}
		if c.Line == "" || c.About == "" || !strings.Contains(c.Example, c.Name) {
			t.Errorf("%s doesn't say what it is: %+v", c.Name, c.Spec)
		}
	}
}

// TestRefused: the help of a command shows the flags that it honours, but for those that
// nth manifest alone sets: its own help shows them.
func TestRefused(t *testing.T) {
	by := map[string]config.Commands{"run": config.ForRun, "plan": config.ForPlan, "local": config.ForLocal, "manifest": config.ForManifest}
	for _, c := range Table("") {
		of, ok := by[c.Word()]
		if !ok {
			continue
		}
		var help strings.Builder
		if err := c.Help(&help, c.Flags(), "all"); !errors.Is(err, flags.ErrHelp) {
			t.Fatal(err)
		}
		rows, err := flags.Reference(new(config.Config))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			name, _, _ := strings.Cut(r.Flag, " ")
			want := config.UseOf(name, of) != config.Refuses
			if r.Group == config.PodFlags {
				want = of == config.ForManifest
			}
			if got := strings.Contains(help.String(), "\n  "+name+" "); got != want {
				t.Errorf("%s shows %s: %t, want %t", c.Name, name, got, want)
			}
		}
	}
}

func TestMeant(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for word, want := range map[string]string{
		"staus": "status", "stats": "status", "Status": "status", "statsu": "status", "instal": "install", "rn": "run", "runs": "run", "lcoal": "local",
		"manifets": "manifest", "hlp": "help", "versoin": "version", "plans": "plan",
		"": "", "r": "", "sh": "", "cat": "", "rust": "", "python": "", "-staus": "", "--status": "", "./staus": "", "bin/staus": "", "frobnicate": "", "stat": "",
	} {
		if got := Meant(word, Table("")); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	program := filepath.Join(os.Getenv("PATH"), "staus")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := Meant("staus", Table("")); got != "" {
		t.Errorf("a command in PATH was taken for %q", got)
	}
}

// TestProtect: a panic is exit code 70 and one line, like any other failure.
func TestProtect(t *testing.T) {
	dir := t.TempDir()
	log, stderr := filepath.Join(dir, "log"), filepath.Join(dir, "stderr")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	to, err := os.Create(stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	w := edge.World{Stderr: to, LookupEnv: func(name string) (string, bool) { return log, name == "NTH_TERMINATION_LOG" }}
	if code := Protect(w, func() int { panic("on purpose") }); code != 70 {
		t.Errorf("exit code %d, want 70", code)
	}
	if body, err := os.ReadFile(log); err != nil || !strings.Contains(string(body), "on purpose") || strings.Contains(string(body), "\n") {
		t.Errorf("the termination message is %q (%v)", body, err)
	}
	if body, err := os.ReadFile(stderr); err != nil || !strings.Contains(string(body), "TestProtect") {
		t.Errorf("there is no stack in %q (%v)", body, err)
	}
	if code := Protect(w, func() int { return 3 }); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
}
