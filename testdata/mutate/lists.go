package main

// scripts is where the tests of a user's words are.
const (
	scripts = "testdata/program/cli"
	queues  = "testdata/program/queues"
	shards  = "testdata/program/shards"
	codes   = "testdata/program/codes"
)

// lists are in the order of an item's way.
var lists = [][]mutation{who, mapped, recorded, committed, stored, carried, ran, shared, queued, told, whole, released}
