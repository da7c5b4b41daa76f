// Command report writes example reports as pages into a folder: report FOLDER. Those
// who test the pages in a browser, or look at them, have them from here.
package main

import (
	"log"
	"os"
	"path/filepath"

	"nth/shim/status"
)

// pages are the Jobs by the name of their file.
var pages = []struct {
	name string
	job  job
}{
	{"ten", job{of: "0-9", bad: 0.5, progress: 0.8, groups: few}},
	{"clean", job{of: "0-999", progress: 1}},
	{"thousand", job{of: "0-499,1000-1499", bad: 0.02, progress: 0.7, groups: several, kubernetes: true}},
	{"many", job{of: "0-99999", bad: 0.006, progress: 0.83, groups: several}},
	{"million", job{of: "0-999999", bad: 0.01, progress: 0.6, groups: several}},
	{"shards", job{of: "0-63", bad: 0.1, progress: 0.5, groups: few, shards: true}},
	{"queue", job{of: "0,3,4", bad: 2, progress: 2, groups: few, tasks: true}}, // three workers failed
	{"hostile", job{of: "0-39", bad: 0.8, progress: 0.9, groups: hostile, hostile: true, tasks: true}},
}

func main() {
	log.SetFlags(0)
	for _, p := range pages {
		check(write(filepath.Join(os.Args[1], p.name+".html"), p.job))
	}
}

func write(path string, j job) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	r, s := j.look()
	if err := status.WriteHTML(f, r, s); err != nil {
		return err
	}
	return f.Close()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
