package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	const pass = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/one"}
{"Action":"run","Package":"p","Test":"TestA/two"}
{"Action":"pass","Package":"p","Test":"TestA/one"}
{"Action":"pass","Package":"p","Test":"TestA/two"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Test":"TestB"}
`
	const end = `{"Action":"pass","Package":"p","Elapsed":1.25}
`
	tests := []struct {
		name, input, want string
		ok                bool
	}{
		{"subtests count, their parent doesn't", pass + end, "pass p 1.2s\n3 passed, 0 failed\n", true},
		{"nothing ran", `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
{"Action":"skip","Package":"p","Elapsed":0}
`, "0 passed, 0 failed\n", false},
		{"nothing at all", "", "0 passed, 0 failed\n", false},
		{"a skip is counted and listed", pass + `{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestC","Output":"=== RUN   TestC\n"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: no such kernel\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
` + end, "pass p 1.2s\nskipped: p TestC: c_test.go:9: no such kernel\n3 passed, 0 failed, 1 skipped\n", true},
		{"a failure shows its output", pass + `{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"run","Package":"p","Test":"TestC/x"}
{"Action":"output","Package":"p","Test":"TestC/x","Output":"c_test.go:9: 1 is not 2\n"}
{"Action":"fail","Package":"p","Test":"TestC/x"}
{"Action":"fail","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p","Elapsed":2}
`, `fail p 2.0s

FAILED: p (the whole package)
FAIL

FAILED: p TestC

FAILED: p TestC/x
c_test.go:9: 1 is not 2
3 passed, 1 failed
`, false},
		{"a package that never ended", pass + `{"Action":"run","Package":"p","Test":"TestC"}
`, "\nDIDN'T END: p (the whole package)\n\nDIDN'T END: p TestC\n3 passed, 1 failed\n", false},
		{"a build that failed", pass + end + `{"ImportPath":"q","Action":"build-output","Output":"q.go:1: undefined: x\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"start","Package":"q"}
{"Action":"fail","Package":"q","Elapsed":0,"FailedBuild":"q"}
`, "pass p 1.2s\nfail q 0.0s\nq.go:1: undefined: x\n\nFAILED: q (the whole package)\n3 passed, 0 failed\n", false},
		{"words that are no event", "go: no such module\n", "go: no such module\n0 passed, 0 failed\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := counter{out: &out, tests: map[test]*state{}}
			if err := c.read(strings.NewReader(tt.input)); err != nil {
				t.Fatal(err)
			}
			ok := c.report()
			if diff := cmp.Diff(tt.want, out.String()); diff != "" || ok != tt.ok {
				t.Errorf("all is well: %v, want %v\n%s", ok, tt.ok, diff)
			}
		})
	}
}
