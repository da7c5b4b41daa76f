package queues

import (
	"testing"

	"nth/testdata/program"
)

// Leases and outages are waited for here, so tests wait together. What works, and doesn't
// wait, is no parallel test: it comes before the others.
func TestMain(m *testing.M) { program.MainAtOnce(m, 12) }
