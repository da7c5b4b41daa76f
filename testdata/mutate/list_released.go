package main

// released: what is published isn't what was built, or says something else.
var released = []mutation{
	{"times of a release in the zone of who makes it", "testdata/release/main.go",
		"time.Unix(*epoch, 0).UTC()", "time.Unix(*epoch, 0)",
		"testdata/release", "TestReproducible"},
	{"the order in which a map gives files", "testdata/release/archive.go",
		"	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })\n", "	_ = sort.Slice\n",
		"testdata/release", "TestReproducible"},
	{"a patch that a bill is silent about", "testdata/release/bill.go",
		"if p.of(info) != name {", "if p.of(info) != name || name == \"std\" {",
		"testdata/release", "TestPatched"},
	{"a stand-in under the name of the module", "testdata/release/bill.go",
		`name := path.Join("nth", m.Replace.Path)`, `name := path.Join(m.Path)`,
		"testdata/release", "TestBills"},
	{"an image of one platform's program for another", "testdata/release/image.go",
		`platform: platform{p.settings["GOARCH"], "linux", p.variant()}`, `platform: platform{r.programs[0].settings["GOARCH"], "linux", p.variant()}`,
		"testdata/release", "TestImage"},
	{"a value of a flag taken for the command, by bash", "testdata/release/bash.go",
		"            ((i < n)) || flag=${words[i - 1]}\n", "            flag=${words[i - 1]}\n",
		"testdata/release", "TestShells"},
	{"a dash that a manual makes a hyphen of", "testdata/release/man.go",
		"b.WriteString(`\\-`)", "b.WriteString(`\\[hy]`)",
		"testdata/release", "TestManuals"},
	{"a tag without its section of the changelog", "testdata/release/notes.go",
		"		section = strings.TrimPrefix(version, \"v\")\n", "		_ = version\n",
		"testdata/release", "TestNotes"},
}
