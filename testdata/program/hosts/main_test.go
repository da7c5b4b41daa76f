package hosts

import (
	"testing"

	"nth/testdata/program"
)

func TestMain(m *testing.M) { program.MainAtOnce(m, 16) }
