package main

// whole: of the whole program.
var whole = []mutation{
	{"a flag that is dropped", "shim/config/rules.go",
		"	if r.of&t.For == 0 {", "	if r.of&t.For != r.of {",
		scripts, "TestScripts/together"},
}
