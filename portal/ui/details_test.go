package ui

import (
	"slices"
	"testing"

	"causeway/portal/texts"
)

// TestDetails: what the audit trail keeps for machines is told in words.
func TestDetails(t *testing.T) {
	words, err := texts.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &Screen{kit: &Kit{texts: words}}
	got := s.Details(map[string]string{
		"fullName.old": "", "fullName.new": "Ada", "enabled.old": "true", "enabled.new": "false",
		"added":       `["Role: View, all","<b>"]`,
		"definitions": `[{"quotaResourceName":"memory","quota":1234567890,"qualifiers":[],"resourceType":""}]`,
		"until":       "2026-11-22T23:00:00Z", "hook": "", "reason": "[not JSON", "ofNewerCells": "x",
		"token_refresh.org.old": "the site's", "token_refresh.org.new": "5/s",
	})
	want := []Detail{
		{Name: "Added", Value: "Role: View, all; <b>"},
		{Name: "Definitions", Value: "most 1234567890, resource memory"},
		{Name: "Enabled", Old: "yes", New: "no"},
		{Name: "Full name", Old: "nothing", New: "Ada"},
		{Name: "ofNewerCells", Value: "x"},
		{Name: "Reason", Value: "[not JSON"},
		{Name: "Token refreshes of the organization", Old: "the site's", New: "5/s"},
		{Name: "Until", Value: "2026-11-22 23:00:00 UTC"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}
