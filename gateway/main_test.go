package gateway_test

import (
	"testing"

	"causeway/internal/benchtest"
)

func TestMain(m *testing.M) { benchtest.Main(m) }
