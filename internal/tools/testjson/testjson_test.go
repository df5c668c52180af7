package testjson

import (
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	stream := `{"Action":"run","Package":"p","Test":"T"}` + "\n\n" +
		"go: warning: something\n" +
		`{"Action":"output","Package":"p","Test":"T","Output":"` + long + `"}` // no newline at the end
	var got []Event
	if err := Read(strings.NewReader(stream), func(e Event) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{Action: Run, Package: "p", Test: "T"},
		{Action: Output, Output: "go: warning: something\n"},
		{Action: Output, Package: "p", Test: "T", Output: long},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %.200v; want %.200v", got, want)
	}
}
