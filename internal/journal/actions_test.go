package journal

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Whoever adds an action adds it to the list: pages offer and name what is in it.
func TestActionsAreAll(t *testing.T) {
	var declared []Action
	for _, file := range []string{"entry.go", "seal.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t\w+ +Action = "(.+)"`).FindAllSubmatch(text, -1) {
			declared = append(declared, Action(m[1]))
		}
	}
	listed := Actions()
	slices.Sort(declared)
	slices.Sort(listed)
	if len(declared) < 70 || !slices.Equal(declared, listed) {
		t.Errorf("declared %v\nlisted %v", declared, listed)
	}
}
