package instances

import (
	"testing"
	"time"

	"causeway/portal/ui"
	"causeway/tenants"
)

// The templates can be read, with those that they share.
func TestTemplates(t *testing.T) {
	kit, err := ui.New(ui.Config{
		SiteName: func() string { return "west" }, PublicURL: "https://localhost", Now: time.Now,
		Allows: func(*tenants.Snapshot, tenants.Principal, ...tenants.Right) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &Pages{}
	if err := kit.Add(p.Name(), p.Files()); err != nil {
		t.Error(err)
	}
}
