package docs

import (
	"slices"
	"strings"
	"testing"

	"nth/testdata/program"
)

// runners are all that is done with blocks: each block is one's. The tests of this
// package take theirs from here; docker's and kubernetes' are in folders of their own.
var runners = map[string]func(b *block) bool{
	"queue":      isQueue,                                                             // TestQueues
	"sql":        func(b *block) bool { return b.language == "sql" },                  // TestMariaDB
	"again":      isAgain,                                                             // TestAgain
	"docker":     isDocker,                                                            // testdata/program/docker, images
	"everything": isEverything,                                                        // .ci/run
	"slurm":      isSlurm,                                                             // testdata/program/slurm
	"shell":      isShell,                                                             // TestCommands
	"shown":      isShown,                                                             // TestCommands
	"message":    func(b *block) bool { return b.language == "text" && b.from != "" }, // TestMessages
	"drawing":    isDrawing,                                                           // TestDrawing
	"yaml":       func(b *block) bool { return b.language == "yaml" },                 // testdata/kubernetes
	"dockerfile": isDockerfile,                                                        // testdata/program/docker, images
	"host":       isHost,                                                              // testdata/program/hosts, gridengine
}

func isQueue(b *block) bool { return b.page == "docs/queues-try.md" && b.language == "sh" }

// isAgain tells whether a block lets tasks be tried again that were put aside.
func isAgain(b *block) bool {
	return b.language == "sh" && (strings.Contains(b.text, ":nth:dead") || strings.Contains(b.text, "state = 'dead'"))
}

// dockerCommands are those that testdata/program/docker and images run, by their beginnings.
var dockerCommands = []string{"docker build -t nth .", "docker run --rm -e JOB_COMPLETION_INDEX=2", "docker run --rm --read-only"}

func isDocker(b *block) bool {
	return (b.page == "README.md" || b.page == "docs/languages.md") && b.language == "sh" && strings.Count(b.text, "\n") == 1 &&
		slices.ContainsFunc(dockerCommands, func(begins string) bool { return strings.HasPrefix(b.text, begins) })
}

// isSlurm tells whether a block needs Slurm: it calls sbatch, or looks at what that has done.
func isSlurm(b *block) bool {
	return b.page == "docs/slurm.md" && b.language == "sh" && !strings.HasPrefix(b.text, "go run . ")
}

func isDockerfile(b *block) bool {
	return (b.page == "README.md" || b.page == "docs/languages.md") && b.language == "dockerfile"
}

// isHost tells whether a block is a file or a line of another program's, which starts nth.
func isHost(b *block) bool {
	return slices.Contains([]string{"bash", "yml", "ini", "python", "groovy"}, b.language)
}

func isEverything(b *block) bool { return b.text == "./testdata/test\n" }

func isShell(b *block) bool {
	return b.language == "sh" && !isQueue(b) && !isAgain(b) && !isDocker(b) && !isEverything(b) && !isSlurm(b)
}

// isShown: what a command of the same page prints stands right after it.
func isShown(b *block) bool {
	return b.language == "text" && b.after != nil && isShell(b.after) && !isDrawing(b)
}

func isDrawing(b *block) bool {
	return b.language == "text" && strings.HasPrefix(b.text, "nth status s3://my-bucket/runs/resize/\n")
}

// taken gives the blocks of one runner; there must be some.
func taken(t *testing.T, runner string) (found []*block) {
	t.Helper()
	for _, b := range allBlocks(t) {
		if runners[runner](b) {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no block is for the runner %q", runner)
	}
	return found
}

// TestEveryBlock: each block is run, or held against something, by one runner.
func TestEveryBlock(t *testing.T) {
	for _, b := range allBlocks(t) {
		var by []string
		for name, takes := range runners {
			if takes(b) {
				by = append(by, name)
			}
		}
		if len(by) != 1 {
			t.Errorf("%s: this block of the language %q is run by %q, and one runner should:\n%s", b.page, b.language, by, b.text)
		}
	}
}

// TestElsewhere: what other folders run, they take from the pages.
func TestElsewhere(t *testing.T) {
	for _, want := range []struct{ file, text string }{
		{".ci/run", "./testdata/test"},
		{"testdata/program/docker/image_test.go", `readmeCommand(t, "` + dockerCommands[0]},
		{"testdata/program/docker/image_test.go", `readmeCommand(t, "` + dockerCommands[1]},
		{"testdata/program/docker/image_test.go", "```dockerfile"},
		{"testdata/program/images/examples_test.go", "```dockerfile"},
		{"testdata/kubernetes/docs_test.go", "../../docs/*.md"},
		{"testdata/program/slurm/page_test.go", `"docs/slurm.md"`},
		{"testdata/program/gridengine/jobs_test.go", `program.Recipe(t, "bash", "qsub")`},
		{"testdata/program/hosts/parallel_test.go", `program.Recipe(t, "bash", "xargs")`},
		{"testdata/program/hosts/containers_test.go", `program.Recipe(t, "yml", "compose")`},
		{"testdata/program/hosts/unit_test.go", `program.Recipe(t, "ini", "systemd")`},
		{"testdata/program/hosts/snakemake_test.go", `program.Recipe(t, "python", "Snakemake")`},
		{"testdata/program/hosts/nextflow_test.go", `program.Recipe(t, "groovy", "Nextflow")`},
	} {
		if !strings.Contains(program.Page(t, want.file), want.text) {
			t.Errorf("%s has no %s", want.file, want.text)
		}
	}
	for _, runner := range []string{"docker", "slurm", "everything", "yaml", "dockerfile", "host"} {
		taken(t, runner)
	}
}
