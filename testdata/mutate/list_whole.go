package main

// whole: of the whole program.
var whole = []mutation{
	{"a flag that is dropped", "shim/config/rules.go",
		"	if r.of&t.For == 0 {", "	if r.of&t.For != r.of {",
		scripts, "TestScripts/together"},
	{"chaos over a place with something of the user's in it", "shim/chaos/place.go",
		"	if err == nil && there != \"\" {", "	if err == nil && there == \"none\" {",
		"testdata/program/chaos", "TestRefused"},
	{"chaos that runs nothing again", "shim/chaos/markers.go",
		"	return os.Remove(m.done(index)) == nil", "	return index >= 0",
		"shim/chaos", "TestForget"},
	{"chance that chaos blames on restarts", "shim/chaos/command.go",
		"			d.why = unsteady\n", "			d.why += \"\"\n",
		"testdata/program/chaos", "TestCommands/chance"},
}
