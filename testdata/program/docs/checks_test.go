package docs

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// checks are what a page says of its commands beside what it shows that they print.
var checks = []struct {
	page, has string
	check     func(t *testing.T, b *block, printed string)
}{
	{"README.md", "/tmp/nth-demo/markers", checkDemo},
	{"docs/install.md", " --check ", says("nth-linux-amd64: OK\n")},
	{"docs/install.md", "/bin/nth version", says(" (commit ", ", linux/amd64)\n")},
	{"docs/install.md", "complete -p nth", says("-F _nth nth\n")},
	{"docs/install.md", " --extract ", says("root/usr/bin/nth\n", "root/usr/share/man/man1/nth-plan.1.gz\n")},
	{"docs/install.md", "skopeo", says("\"/nth\"\n")},
	{"docs/tutorial.md", ".ci/build /tmp/nth-tutorial/nth\n", checkBuild},
	{"docs/kubernetes.md", " --missing ", says("nth local: file:///tmp/nth-repair/checksums/ is not there yet: it is made", `{ name: NTH_INDEXES, value: "3,4" }`,
		`{ name: NTH_MARKERS, value: "file:///tmp/nth-repair/<<.Job>>?mountpoint=/tmp/nth-repair" }`)},
	{"docs/recipes.md", "examples/halve", says("nth local: 2 of 2 succeeded", "0-1 of 2.png\n1-tom.png\n")},
	{"docs/recipes.md", " sha256sum ", says("/deep/the people.csv: OK\n", "sonnet_4.txt: OK\n")},
	{"docs/recipes.md", " --require-wait ", says("sonnet 0: 28 words\n", "sonnet 4: 37 words\n")},
	{"docs/running.md", "/tmp/nth-logs", checkLogs},
	{"docs/items.md", "sonnets.csv", checkRows},
	{"docs/items.md", "CREATE TABLE users", checkPartition},
	{"docs/items.md", "/tmp/nth-each/", checkEach},
	{"docs/queues.md", " manifest ", says("parallelism: 8\n", `{ name: NTH_TASKS, value: "redis://redis:6379/0?queue=sonnets" }`)},
	{"docs/queues-own.md", " manifest ", says(`{ name: NTH_DONE_URL, value: "DELETE https://api.example.com/jobs/{id}" }`, "NTH_HTTP_BODY")},
	{"docs/stores.md", " check ", says("serves              --markers\n")},
	{"docs/status-and-repair.md", " local ", says("5 of 5 settled (100%)")},
	{"docs/status-and-repair.md", "--index 3", says("index 3: done", "command: wc -w testdata/examples/sonnet_3.txt", "\n5,6\n")},
	{"docs/status-and-repair.md", " --indexes 3\n", says("deleted 1 marker: 3\n")},
	{"docs/rerun.md", " manifest ", says(`memory: "2Gi"`, `memory: "3Gi"`, `value: "4,5"`, "request 2Gi instead of 1Gi, limit 3Gi instead of 1536Mi")},
	{"docs/status-and-repair.md", " --stale ", says("nothing is staged\n")},
	{"docs/status-and-repair.md", " mark ", says("marked 1 index as done: 3\n")},
}

// says checks that each of the texts is printed.
func says(texts ...string) func(t *testing.T, b *block, printed string) {
	return func(t *testing.T, b *block, printed string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(printed, text) {
				t.Errorf("%s: %s\ndoesn't print %q, but\n%s", b.page, b.text, text, printed)
			}
		}
	}
}

// checkBuild: the binary is the one that the README promises: static, and small.
func checkBuild(t *testing.T, b *block, printed string) {
	t.Helper()
	says(" (commit ")(t, b, printed)
	const path, most = "/tmp/nth-tutorial/nth", 16 << 20
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > most {
		t.Errorf("%s has %d bytes", path, info.Size())
	}
	if runtime.GOOS != "linux" {
		return
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s needs a libc, and starts in no image FROM scratch", path)
		}
	}
}

// checkDemo: five files are counted, once, and nothing the second time.
func checkDemo(t *testing.T, b *block, printed string) {
	t.Helper()
	if strings.Count(printed, "sonnet_") != 5 {
		t.Errorf("the main job over five files printed\n%s", printed)
	}
	if n := markers(t, "/tmp/nth-demo/markers"); n != 5 {
		t.Errorf("%d markers, want 5", n)
	}
	if again := shell(t, b.text); strings.Contains(again, "sonnet_") || !strings.Contains(again, "5 of 5 succeeded") {
		t.Errorf("the second run did it again:\n%s", again)
	}
}

// checkLogs: what a command said is passed through, and kept.
func checkLogs(t *testing.T, _ *block, printed string) {
	t.Helper()
	for i, want := range []int{1, 1, 2} {
		if n := strings.Count(printed, fmt.Sprintf("hello from %d\n", i)); n != want {
			t.Errorf("index %d said hello %d times, want %d:\n%s", i, n, want, printed)
		}
	}
}

// checkRows: each row's file was counted, and has its marker.
func checkRows(t *testing.T, _ *block, printed string) {
	t.Helper()
	if n := strings.Count(printed, " testdata/examples/sonnet_"); n != 5 {
		t.Errorf("%d rows were done, want 5:\n%s", n, printed)
	}
	if n := markers(t, "/tmp/nth-queue/markers"); n != 5 {
		t.Errorf("%d markers, want 5", n)
	}
}

// checkPartition: each of the users was handled by one index, and all indexes had some.
func checkPartition(t *testing.T, _ *block, printed string) {
	t.Helper()
	users, indexes := map[string]int{}, map[string]bool{}
	for line := range strings.Lines(printed) {
		if index, user, ok := strings.Cut(strings.TrimSpace(line), " user-"); ok {
			users[user]++
			indexes[index] = true
		}
	}
	for n := range 20 {
		if times := users[fmt.Sprint(n+1)]; times != 1 {
			t.Errorf("user %d was handled %d times", n+1, times)
		}
	}
	if len(users) != 20 || len(indexes) != 5 {
		t.Errorf("%d users were handled by %d indexes:\n%s", len(users), len(indexes), printed)
	}
}

// checkEach: every item is done once, and nothing the second time.
func checkEach(t *testing.T, b *block, printed string) {
	t.Helper()
	for _, want := range []int{1, 0} {
		for i := range 20 {
			if n := strings.Count(printed, fmt.Sprintf("item %d of 20\n", i)); n != want {
				t.Errorf("item %d was done %d times, want %d:\n%s", i, n, want, printed)
			}
		}
		for i, name := range []string{"Ann", "Bob", "Carol", "Dave, Jr.", "Eve"} {
			if n := strings.Count(printed, fmt.Sprintf("row %d is %s\n", i, name)); n != want {
				t.Errorf("row %d was done %d times, want %d:\n%s", i, n, want, printed)
			}
		}
		printed = shell(t, b.text)
	}
}
