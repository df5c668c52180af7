package gateway_test

import (
	"os"
	"testing"

	"causeway/internal/benchtest"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asSite) != "":
		standSite(os.Getenv(asSite))
	case os.Getenv(asBare) != "":
		standBare(os.Getenv(asBare))
	case os.Getenv(asHop) != "":
		standHop(os.Getenv(asHop))
	default:
		benchtest.Main(m)
	}
}
