package people

import (
	"slices"
	"testing"

	"causeway/tenants"
)

func TestNames(t *testing.T) {
	if got := names(" acme \n\nACME\r\nGlobex\n"); !slices.Equal(got, []string{"acme", "Globex"}) {
		t.Errorf("%q", got)
	}
	if got := names(" \n "); got != nil {
		t.Errorf("%q", got)
	}
}

func TestCompleted(t *testing.T) {
	chosen, can := tenants.SetOf(tenants.RightUserManage), tenants.SetOf(tenants.RightUserManage, tenants.RightUserView)
	if got := completed(chosen, can); got != can {
		t.Errorf("%q", got.List())
	}
	if got := completed(chosen, chosen); got != chosen {
		t.Errorf("what cannot be given came along: %q", got.List())
	}
	if got := alongWith(chosen, can); len(got) != 1 || got[0].Right != tenants.RightUserView || got[0].For[0] != tenants.RightUserManage {
		t.Errorf("%+v", got)
	}
}
