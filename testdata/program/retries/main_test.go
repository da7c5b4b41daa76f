package retries

import (
	"testing"

	"nth/testdata/program"
)

func TestMain(m *testing.M) { program.MainAtOnce(m, 12) }
