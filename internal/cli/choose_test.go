package cli

import (
	"errors"
	"strings"
	"testing"
)

// A name that several have is not guessed: who asks is told which there are.
func TestChoose_Ambiguous(t *testing.T) {
	list := []object{{"id": "1", "name": "ops"}, {"id": "2", "name": "Ops"}, {"id": "3", "name": "OPS"}}
	if o, err := roles.choose(list, "Ops"); err != nil || o["id"] != "2" {
		t.Errorf("the very name: %v, %v", o, err)
	}
	var usage usageError
	if _, err := roles.choose(list, "oPs"); !errors.As(err, &usage) || !strings.Contains(err.Error(), "1, 2, 3") {
		t.Errorf("%v", err)
	}
	own, ok := errors.AsType[exitError](func() error { _, err := roles.choose(list, "other"); return err }())
	if !ok || own.code != exitNothing {
		t.Errorf("%v", own)
	}
}

func TestObject_At(t *testing.T) {
	o := object{"a": map[string]any{"b": "x"}, "l": []any{map[string]any{"n": "1"}, map[string]any{"n": "2"}}, "t": true, "f": 1.0, "z": nil}
	for path, want := range map[string]string{"a.b": "x", "l.n": "1, 2", "t": "yes", "f": "1", "z": "", "none": "", "a": ""} {
		if got := o.at(path); got != want {
			t.Errorf("%s is %q, not %q", path, got, want)
		}
	}
}
