package httpapi

import (
	"strings"
	"testing"

	"causeway/internal/problem"
)

const roleID = "5e2c1d3a-0b4f-4c6d-8e7f-9a0b1c2d3e4f"

func TestIDFromHref(t *testing.T) {
	for _, href := range []string{
		"https://host/api/admin/role/" + roleID,
		"https://host:8443/api/admin/role/" + roleID,
		"https://elsewhere.example/api/admin/role/" + roleID, // read, never fetched
		"/api/admin/role/" + roleID,
		"https://host/api/admin/role/" + strings.ToUpper(roleID),
		"https://host/api/admin/role/" + roleID + "?x=y",
	} {
		if id, err := IDFromHref(href); err != nil || id != roleID {
			t.Errorf("%s: %q, %v", href, id, err)
		}
	}
}

func TestIDFromHrefRefuses_R9(t *testing.T) {
	for _, href := range []string{
		"", "/", "https://host", "https://host/api/admin/role/", "https://host/api/admin/role/1",
		"https://host/api/admin/role/" + roleID + "/",
		"https://host/api/admin/role/" + roleID + "/rights",
		"https://host/api/admin/role/x" + roleID,
		"https://host/api/admin/role/" + roleID + "x",
		"https://host/api/admin/role/{" + roleID + "}",
		"https://host/api/admin/role%2F" + roleID,
		"https://host/api/admin/role/%35" + roleID[1:],
		"https://host/api/admin/role/" + strings.ReplaceAll(roleID, "-", ""),
		"https://host/?id=/" + roleID,
		"https://host/#/" + roleID,
		"https://" + roleID,
		"urn:vcloud:role:" + roleID,
		"https://host/%zz/" + roleID,
		"https://host/api/\x00/" + roleID,
		"javascript:alert(1)",
	} {
		id, err := IDFromHref(href)
		if id != "" {
			t.Errorf("%q is read as %s", href, id)
		}
		wantProblem(t, err, problem.BadRequest)
		if strings.Contains(problem.From(err).Detail, "host") {
			t.Errorf("the answer repeats what was sent: %v", err)
		}
	}
}

func FuzzIDFromHref(f *testing.F) {
	for _, s := range []string{"", roleID, "https://h/" + roleID, "//h/a/" + roleID, "urn:uuid:" + roleID, "%", "https://h/" + roleID + "#/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, href string) {
		id, err := IDFromHref(href)
		if err != nil {
			wantProblem(t, err, problem.BadRequest)
			return
		}
		if len(id) != 36 || strings.Trim(id, "0123456789abcdef-") != "" || !strings.Contains(strings.ToLower(href), id) {
			t.Fatalf("%q is read as %q", href, id)
		}
	})
}
