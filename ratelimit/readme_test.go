package ratelimit

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The operator's table says what the code does, line by line.
func TestREADMEListsTheDefaults(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	tables := 0
	for _, s := range shapes {
		for _, b := range s.buckets {
			fmt.Fprintf(&want, "| %s | %s | %s |\n", s.name, b.kind, b.usual)
			if b.kind != SiteWide {
				tables++
			}
		}
		if !strings.Contains(string(text), "\n- **"+string(s.name)+"** ") {
			t.Errorf("README.md does not explain %s", s.name)
		}
	}
	if !strings.Contains(string(text), "\n"+want.String()+"\n") {
		t.Errorf("README.md should have the lines\n%s", &want)
	}
	if tables != 23 {
		t.Errorf("README.md speaks of 23 tables, there are %d", tables)
	}
}
