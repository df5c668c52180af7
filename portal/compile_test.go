package portal

import (
	"testing"
	"time"
)

func TestEveryTemplateCompiles(t *testing.T) {
	p, err := New(Config{Now: time.Now, SiteName: func() string { return "west" }})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.kit.Check(); err != nil {
		t.Error(err)
	}
}
