package images

import (
	"testing"

	"nth/testdata/program"
)

func TestMain(m *testing.M) { program.Main(m) }
